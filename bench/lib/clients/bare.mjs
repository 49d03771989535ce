import { fileURLToPath } from 'node:url'
import { nothing, tokenEnvironment } from './client.mjs'

const program = fileURLToPath(new URL('bare-program.mjs', import.meta.url))

/**
 * The limit: a Node.js program that sends the data of a volume in requests of the chunk size, as Stowage does, and nothing
 * else. It computes no hashes, checks nothing, and leaves what it restores in the page cache.
 *
 * @returns {import('./client.mjs').Client}
 */
export function bare() {
  return {
    name: 'bare client',
    unfit: (store, { kind, word }) => {
      if (store !== 'swift') return 'speaks to Swift alone'
      if (kind !== 'backup' && kind !== 'restore') return 'knows no incrementals'
      return word === 'none' ? undefined : 'does not compress'
    },
    version: { argv: [process.execPath, '--version'] },
    prepare: nothing,
    backup: async (job) => ({
      argv: [process.execPath, program, 'put', job.place.name, job.volumePath, String(job.chunkSizeBytes)],
      env: tokenEnvironment(job.place),
    }),
    restore: async (job) => ({
      argv: [process.execPath, program, 'get', job.place.name, job.target],
      env: tokenEnvironment(job.place),
    }),
    restored: (job) => job.target,
    said: () => ({}),
  }
}

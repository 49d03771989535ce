import { join } from 'node:path'
import { run } from '../measured-process.mjs'
import { tokenEnvironment } from './client.mjs'

/**
 * restic, which cuts by content, encrypts always, and compresses with zstd or not at all. The volume comes by standard
 * input, since restic would not read a file again whose times are unchanged: that would be another job.
 *
 * @returns {import('./client.mjs').Client}
 */
export function restic() {
  /** @type {(job: { place: import('./client.mjs').Place, scratch: string }, args: string[], word?: string) => import('./client.mjs').Command} */
  const command = ({ place, scratch }, args, word = 'none') => ({
    argv: ['restic', '--quiet', '--compression', word === 'zstd' ? 'auto' : 'off', ...args],
    env: {
      ...tokenEnvironment(place),
      RESTIC_REPOSITORY: place.path === undefined ? `swift:${place.name}:/` : place.path,
      RESTIC_PASSWORD: 'bench',
      RESTIC_CACHE_DIR: join(scratch, 'restic-cache'),
    },
  })
  return {
    name: 'restic',
    program: 'restic',
    unfit: (_kind, { word }) =>
      ['none', 'zstd'].includes(word) ? undefined : `compresses with zstd alone, not ${word}`,
    version: { argv: ['restic', 'version'] },
    prepare: async (job) => {
      await run(command(job, ['init', '--repository-version', '2']))
    },
    backup: async (job) => ({
      ...command(job, ['backup', '--stdin', '--stdin-filename', 'volume'], job.word),
      stdinFile: job.volumePath,
    }),
    restore: async (job) => command(job, ['restore', 'latest', '--target', job.target]),
    restored: (job) => join(job.target, 'volume'),
    said: () => ({}),
  }
}

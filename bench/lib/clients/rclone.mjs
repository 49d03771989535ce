import { join } from 'node:path'
import { nothing } from './client.mjs'

/**
 * rclone, which copies files as they are.
 *
 * @returns {import('./client.mjs').Client}
 */
export function rclone() {
  return {
    name: 'rclone',
    program: 'rclone',
    unfit: (_kind, { kind: job, word }) => {
      if (job === 'incremental' || job === 'chain') return 'knows no incrementals'
      return word === 'none' ? undefined : 'does not compress'
    },
    version: { argv: ['rclone', 'version'] },
    prepare: nothing,
    backup: async (job) => command(job.place, ['copyto', job.volumePath, remote(job.place)]),
    restore: async (job) => command(job.place, ['copyto', remote(job.place), job.target]),
    restored: (job) => job.target,
    said: () => ({}),
  }
}

/** @param {import('./client.mjs').Place} place */
function remote({ name, path }) {
  return path === undefined ? `bench:${name}/volume` : join(path, 'volume')
}

/**
 * @param {import('./client.mjs').Place} place
 * @param {string[]} args
 */
function command({ account }, args) {
  const remoteOf = (/** @type {import('../stores/place.mjs').SwiftAccount} */ { storageUrl, token }) => ({
    RCLONE_CONFIG_BENCH_TYPE: 'swift',
    RCLONE_CONFIG_BENCH_STORAGE_URL: storageUrl,
    RCLONE_CONFIG_BENCH_AUTH_TOKEN: token,
  })
  // An empty name for the file of remotes: nobody's own is read or written.
  return { argv: ['rclone', ...args], env: { RCLONE_CONFIG: '', ...(account ? remoteOf(account) : {}) } }
}

import { backupJob } from './backup-job.mjs'
import { chainJob } from './chain-job.mjs'
import { incrementalJob } from './incremental-job.mjs'
import { restoreJob } from './restore-job.mjs'

const words = ['none', 'zlib', 'bz2', 'zstd']

/** @typedef {import('./job.mjs').Bench} Bench */

const mixed = (/** @type {Bench} */ { volumes }) => volumes.mixed()
const text = (/** @type {Bench} */ { volumes }) => volumes.text()
const random = (/** @type {Bench} */ { volumes }) => volumes.random()
const zeros = (/** @type {Bench} */ { volumes }) => volumes.zeros()
/** 64 GiB with 1 GiB of data at the default size of 512 MiB. */
const sparse = (/** @type {Bench} */ { volumes }) =>
  volumes.sparse(volumes.sizeBytes * 128, volumes.sizeBytes * 2)

/**
 * Every job, in the order in which they run.
 *
 * @type {readonly import('./job.mjs').JobPlan[]}
 */
export const allJobs = [
  ...words.map((word) => backupJob({ name: `backup-${word}`, word, volume: mixed })),
  ...['none', 'zlib', 'zstd'].map((word) =>
    restoreJob({ name: `restore-${word}`, word, writtenBy: 'cinder', volume: mixed }),
  ),
  restoreJob({ name: 'restore-bz2', word: 'bz2', writtenBy: 'stowage', volume: mixed }),
  // Cinder writes a chunk as one bzip2 stream, which is harder to decode on several cores than ours.
  restoreJob({ name: 'restore-bz2-of-cinder', word: 'bz2', writtenBy: 'cinder', volume: mixed }),
  incrementalJob({ name: 'incremental-unchanged', word: 'none', changed: async (_bench, base) => base }),
  incrementalJob({ name: 'incremental-scattered', word: 'none', changed: scattered }),
  incrementalJob({ name: 'incremental-scattered-zlib', word: 'zlib', changed: scattered }),
  chainJob({ name: 'chain', word: 'none', writtenBy: 'stowage' }),
  chainJob({ name: 'chain-of-cinder', word: 'none', writtenBy: 'cinder' }),
  backupJob({ name: 'text-backup', word: 'zlib', volume: text }),
  restoreJob({ name: 'text-restore', word: 'zlib', writtenBy: 'cinder', volume: text }),
  backupJob({ name: 'random-backup', word: 'zlib', volume: random }),
  restoreJob({ name: 'random-restore', word: 'zlib', writtenBy: 'cinder', volume: random }),
  backupJob({ name: 'zeros-backup', word: 'zlib', volume: zeros }),
  backupJob({ name: 'zeros-backup-none', word: 'none', volume: zeros }),
  restoreJob({ name: 'zeros-restore', word: 'zlib', writtenBy: 'cinder', volume: zeros }),
  backupJob({ name: 'sparse-backup', word: 'zlib', volume: sparse, long: true }),
  restoreJob({ name: 'sparse-restore', word: 'zlib', writtenBy: 'stowage', volume: sparse, long: true }),
]

/** @type {(bench: Bench, base: import('../volumes.mjs').Volume) => Promise<import('../volumes.mjs').Volume>} */
function scattered({ volumes }, base) {
  return volumes.scattered(base, 0.01)
}

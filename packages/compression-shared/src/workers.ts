import { availableParallelism } from 'node:os'
import { WorkerPool } from '@stowage/backup-core'

/** How many threads the machine can keep busy. */
export const coreCount: number = availableParallelism()

/**
 * A pool for the jobs of a compressor's worker file.
 *
 * Idle workers hold WebAssembly memory, and end after two seconds: a backup's next chunk comes sooner.
 */
export const compressionWorkers = (file: URL): WorkerPool =>
  new WorkerPool({ file, purpose: 'compression', errorCode: 'COMPRESSION_FAILED' })

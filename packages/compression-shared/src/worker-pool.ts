import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { BackupError } from '@stowage/backup-core'
import type { Piscina } from 'piscina'

/** How many threads the machine can keep busy. */
export const coreCount: number = availableParallelism()

/** A job for a worker. */
export interface WorkerJob {
  /** The worker's file, an ES module whose named exports are its jobs. */
  readonly file: URL
  /** Which of its exports to call. */
  readonly job: string
  /** Its argument. It is copied, except for shared memory. */
  readonly data: unknown
  /** Ends the worker during the job: for jobs of many seconds only, since a new worker must start. */
  readonly signal?: AbortSignal | undefined
}

/** Idle workers hold WebAssembly memory; a backup's next chunk comes sooner than this. */
const idleTimeoutMs = 2_000

let pool: Promise<Piscina> | undefined

/**
 * Runs a job in a worker thread. The pool starts with the first job and has at most one worker for each core; workers
 * end when they are idle, and never keep a program from exiting.
 *
 * @throws BackupError `COMPRESSION_FAILED` when the worker fails or dies: only that job fails, and a new worker takes
 * the next.
 */
export async function runInWorker({ file, job, data, signal }: WorkerJob): Promise<unknown> {
  try {
    const piscina = await (pool ??= startPool())
    return await (piscina.run(data, {
      filename: fileURLToPath(file),
      name: job,
      ...(signal === undefined ? {} : { signal }),
    }) as Promise<unknown>)
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError('COMPRESSION_FAILED', `A compression worker failed: ${reason}. Try again.`, {
      cause,
    })
  }
}

async function startPool(): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina')
  return new Pool({
    minThreads: 0,
    maxThreads: coreCount,
    idleTimeout: idleTimeoutMs,
    // The program's own loaders and flags are not for workers that need none of them.
    execArgv: [],
    recordTiming: false,
  })
}

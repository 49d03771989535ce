import { fileURLToPath } from 'node:url'
import { BackupError } from '@stowage/backup-core'
import type { Piscina } from 'piscina'
import { coreCount } from './slots.js'

/** What a worker is to do. */
export interface WorkerJob {
  /** The worker's file, an ES module whose named exports are its jobs. */
  readonly file: URL
  /** Which of its exports to call. */
  readonly job: string
  /** Its argument, copied but for what `transfer` names. */
  readonly data: unknown
  /** Memory that moves to the worker, and is gone from here. */
  readonly transfer: readonly ArrayBuffer[]
  /** Ends the worker in the midst of the job: for jobs of many seconds alone, since a new worker must start. */
  readonly signal?: AbortSignal | undefined
}

/** Idle workers hold WebAssembly memory; a backup's next chunk comes sooner than this. */
const idleTimeoutMs = 2_000

interface SharedPool {
  piscina: Promise<Piscina> | undefined
  /** Jobs begun and not ended, counted from before the pool is there. */
  jobsRunning: number
}

/**
 * Where the process keeps its pool: the ESM and the CommonJS copy of this package, and two versions of it, share the
 * cores, and so must share the pool.
 */
const poolKey: unique symbol = Symbol.for('@stowage/compression-workers/pool')

const holder: { [poolKey]?: SharedPool } = globalThis as object

function sharedPool(): SharedPool {
  const known = holder[poolKey]
  if (known !== undefined) return known
  const pool: SharedPool = { piscina: undefined, jobsRunning: 0 }
  holder[poolKey] = pool
  return pool
}

/**
 * Runs a job in a worker of the pool that all compressors of this process share. The pool starts with the first job
 * and has a worker for each core at most; workers end when they are idle, and never keep a program from exiting.
 *
 * @throws BackupError `COMPRESSION_FAILED` when the worker fails or dies: that job alone fails, and a new worker
 * takes the next.
 */
export async function runInWorker({ file, job, data, transfer, signal }: WorkerJob): Promise<unknown> {
  const pool = sharedPool()
  pool.jobsRunning++
  try {
    const piscina = await (pool.piscina ??= startPool())
    return await (piscina.run(data, {
      filename: fileURLToPath(file),
      name: job,
      transferList: [...transfer],
      ...(signal === undefined ? {} : { signal }),
    }) as Promise<unknown>)
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError('COMPRESSION_FAILED', `A compression worker failed: ${reason}. Try again.`, {
      cause,
    })
  } finally {
    pool.jobsRunning--
  }
}

/** Ends the workers at once, unless another compressor of this process has a job for them. The next job starts new ones. */
export async function closeIdlePool(): Promise<void> {
  const pool = sharedPool()
  if (pool.jobsRunning > 0 || pool.piscina === undefined) return
  const { piscina } = pool
  pool.piscina = undefined
  await (await piscina).destroy()
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

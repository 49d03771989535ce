import { availableParallelism } from 'node:os'
import { Worker, type Transferable } from 'node:worker_threads'
import { abortedError, BackupError, throwIfAborted, type BackupErrorCode } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'

/** How a {@link WorkerPool} runs. */
export interface WorkerPoolOptions {
  /** An ES module, whose exported functions are the jobs: each takes one argument, and may be asynchronous. */
  readonly file: URL
  /** What the jobs do, for messages: `hash`, `compression`. */
  readonly purpose: string
  /** The code of the error when a job fails. */
  readonly errorCode: BackupErrorCode
  /** @default one for each core */
  readonly maxWorkers?: number
  /** How many jobs a worker may have at the same time. More than one is for jobs that wait. @default 1 */
  readonly maxJobsPerWorker?: number
  /** After how long a worker without a job ends, in milliseconds. @default 2000 */
  readonly idleTimeoutMs?: number
}

/** Options of one job. */
export interface JobOptions {
  /** What is moved to the worker instead of copied. Shared memory is never copied. */
  readonly transferList?: readonly Transferable[]
  /** Ends the worker with the job: for jobs of many seconds, since the next job has to wait for a new worker. */
  readonly signal?: AbortSignal | undefined
}

interface Job {
  readonly name: string
  readonly data: unknown
  readonly transferList: readonly Transferable[]
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

interface PooledWorker {
  readonly thread: Worker
  /** By their numbers. */
  readonly jobs: Map<number, Job>
  idleTimer?: NodeJS.Timeout
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: unknown
}

/** What a worker runs: a string, so that neither a build nor a bundle has to bring a file for it. */
const MAIN = `
const { parentPort, workerData } = require('node:worker_threads')
const jobs = import(workerData)
parentPort.on('message', async ({ id, name, data }) => {
  try {
    parentPort.postMessage({ id, result: await (await jobs)[name](data) })
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error : String(error) })
  }
})`

/**
 * Runs the functions of a module in worker threads. Workers start with the jobs that need them, end when they are idle,
 * and never keep a program from exiting.
 *
 * Not piscina: to load it and what it runs in its threads takes 60 ms of CPU, a tenth of the backup of a small volume.
 */
export class WorkerPool {
  readonly #options: Required<WorkerPoolOptions>
  readonly #workers = new Set<PooledWorker>()
  readonly #waiting: Job[] = []
  #lastId = 0

  constructor(options: WorkerPoolOptions) {
    const defaults = { maxWorkers: availableParallelism(), maxJobsPerWorker: 1, idleTimeoutMs: 2_000 }
    this.#options = { ...defaults, ...options }
  }

  /** How many workers there are. */
  get size(): number {
    return this.#workers.size
  }

  /**
   * Calls one of the module's functions on the worker with the fewest jobs, and waits while all of them have as many as
   * they may.
   *
   * @param data - the argument, which is copied; shared memory is not
   * @returns what the function returned
   * @throws BackupError with the pool's code where the function throws, or the worker ends: a new one takes the next job
   * @throws BackupError `ABORTED`
   */
  async run(name: string, data: unknown, { transferList = [], signal }: JobOptions = {}): Promise<unknown> {
    const what = `A ${this.#options.purpose} worker`
    throwIfAborted(signal, what)
    let onAbort: (() => void) | undefined
    try {
      return await new Promise((resolve, reject) => {
        const job: Job = { name, data, transferList, resolve, reject }
        onAbort = () => {
          this.#abort(job)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        this.#waiting.push(job)
        this.#assign()
      })
    } catch (cause) {
      if (signal?.aborted === true) throw abortedError(signal, what)
      throw new BackupError(this.#options.errorCode, `${what} failed: ${messageOf(cause)}. Try again.`, {
        cause,
      })
    } finally {
      if (onAbort) signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Gives jobs that wait to workers that may have more. */
  #assign(): void {
    for (let worker = this.#freeWorker(); worker; worker = this.#freeWorker()) {
      const job = this.#waiting.shift()
      if (!job) return
      const id = ++this.#lastId
      try {
        worker.thread.postMessage({ id, name: job.name, data: job.data }, job.transferList)
      } catch (error) {
        job.reject(error)
        continue
      }
      clearTimeout(worker.idleTimer)
      worker.jobs.set(id, job)
      worker.thread.ref()
    }
  }

  /** The worker with the fewest jobs, which is a new one while all of them have some. */
  #freeWorker(): PooledWorker | undefined {
    if (this.#waiting.length === 0) return undefined
    let free: PooledWorker | undefined
    for (const worker of this.#workers) if (!free || worker.jobs.size < free.jobs.size) free = worker
    const { maxWorkers, maxJobsPerWorker } = this.#options
    if ((!free || free.jobs.size > 0) && this.#workers.size < maxWorkers) return this.#start()
    return free && free.jobs.size < maxJobsPerWorker ? free : undefined
  }

  #start(): PooledWorker {
    // The program's own loaders and flags are not for workers that need none of them.
    const thread = new Worker(MAIN, { eval: true, workerData: this.#options.file.href, execArgv: [] })
    const worker: PooledWorker = { thread, jobs: new Map() }
    this.#workers.add(worker)
    thread.on('message', ({ id, result, error }: Answer) => {
      const job = worker.jobs.get(id)
      worker.jobs.delete(id)
      if (worker.jobs.size === 0) this.#becomeIdle(worker)
      if (error === undefined) job?.resolve(result)
      else job?.reject(error)
      this.#assign()
    })
    thread.on('error', (error) => {
      this.#remove(worker, error)
    })
    thread.on('exit', (code) => {
      this.#remove(worker, new Error(`it ended with code ${code}`))
    })
    return worker
  }

  /** An idle worker does not keep the program running, and ends after a while. */
  #becomeIdle(worker: PooledWorker): void {
    worker.thread.unref()
    worker.idleTimer = setTimeout(() => {
      this.#remove(worker, undefined)
    }, this.#options.idleTimeoutMs).unref()
  }

  #remove(worker: PooledWorker, reason: unknown): void {
    this.#workers.delete(worker)
    clearTimeout(worker.idleTimer)
    for (const job of worker.jobs.values()) job.reject(reason)
    worker.jobs.clear()
    void worker.thread.terminate()
    this.#assign()
  }

  #abort(job: Job): void {
    const index = this.#waiting.indexOf(job)
    if (index >= 0) this.#waiting.splice(index, 1)
    for (const worker of this.#workers) {
      if ([...worker.jobs.values()].includes(job)) this.#remove(worker, new Error('it was ended by an abort'))
    }
    job.reject(new Error('it was aborted'))
  }
}

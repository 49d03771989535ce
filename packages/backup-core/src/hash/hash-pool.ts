import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { BackupError } from '../errors/backup-error.js'
import { hashWorkerProgram } from './hash-worker.js'

/** What to hash of bytes that lie in shared memory, in one part or several. */
export interface HashJob {
  /** All but the last are whole blocks, where block hashes are wanted. */
  readonly parts: readonly Uint8Array[]
  /** SHA-256 a block of this size, or 0 for none. */
  readonly blockSizeBytes: number
  readonly md5: boolean
}

export interface HashResult {
  /** 32 bytes a block, or null when none were asked for. */
  readonly sha256s: Uint8Array | null
  /** Hex, in lower case, or null when it was not asked for. */
  readonly md5: string | null
}

interface Pending {
  readonly resolve: (result: HashResult) => void
  readonly reject: (error: BackupError) => void
}

interface Answer {
  readonly id: number
  readonly sha256s: Uint8Array | null
  readonly md5: string | null
  readonly error?: string
}

/** One worker and what it was asked. It keeps the process alive only while an answer is due. */
class HashWorker {
  readonly #worker = new Worker(hashWorkerProgram, { eval: true, name: 'stowage-hash' })
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  dead = false

  constructor() {
    this.#worker.on('message', (answer: Answer) => {
      const pending = this.#settle(answer.id)
      if (answer.error === undefined) pending?.resolve({ sha256s: answer.sha256s, md5: answer.md5 })
      else pending?.reject(new BackupError('STORE_FAILED', `A hash worker failed: ${answer.error}`))
    })
    this.#worker.on('error', (error) => {
      this.#die(error)
    })
    this.#worker.on('exit', () => {
      this.#die(new Error('the worker exited'))
    })
    // Last: a listener keeps the process alive, and a worker may never be asked anything.
    this.#worker.unref()
  }

  get load(): number {
    return this.#pending.size
  }

  run(job: HashJob): Promise<HashResult> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId
      this.#nextId += 1
      this.#pending.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({
        id,
        parts: job.parts.map(({ buffer, byteOffset, length }) => ({
          memory: buffer,
          offset: byteOffset,
          length,
        })),
        blockSize: job.blockSizeBytes,
        wantMd5: job.md5,
      })
    })
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
    return pending
  }

  /** A worker that dies fails what it was asked, once, and is never asked again. */
  #die(cause: Error): void {
    this.dead = true
    for (const id of [...this.#pending.keys()]) {
      const error = new BackupError('STORE_FAILED', 'A hash worker died. Try again.', { cause })
      this.#settle(id)?.reject(error)
    }
  }
}

/** As many workers as the machine has cores, started when there is work for them, shared by the whole process. */
const workers: HashWorker[] = []

/**
 * Starts workers up to that many, or to one for each core: they take a tenth of a second to be ready, in which whoever
 * is going to hash may have other things to do.
 */
export function startHashWorkers(count: number): void {
  while (workers.length < Math.min(count, availableParallelism())) workers.push(new HashWorker())
}

/** Hashes off the main thread, on the worker that has least to do. */
export function hashInWorker(job: HashJob): Promise<HashResult> {
  for (let index = workers.length - 1; index >= 0; index -= 1) {
    if (workers[index]?.dead) workers.splice(index, 1)
  }
  const idle = workers.find((worker) => worker.load === 0)
  if (idle) return idle.run(job)
  if (workers.length < availableParallelism()) {
    const worker = new HashWorker()
    workers.push(worker)
    return worker.run(job)
  }
  return workers.reduce((least, worker) => (worker.load < least.load ? worker : least)).run(job)
}

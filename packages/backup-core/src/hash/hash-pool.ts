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
  /** They are known to be zeros: holes of a sparse volume. @default false: it is found out */
  readonly knownZeros?: boolean
}

export interface HashResult {
  /** 32 bytes a block, or null when none were asked for. */
  readonly sha256s: Uint8Array | null
  /** Hex, in lower case, or null when it was not asked for. */
  readonly md5: string | null
  /** Whether every byte is zero. */
  readonly allZero: boolean
}

/** What was hashed of a piece. */
export interface PieceHashes {
  /** 32 bytes a block. */
  readonly sha256s: Uint8Array
  /** Whether every byte is zero. */
  readonly allZero: boolean
}

/** A chunk that comes in pieces, which one worker hashes in their order. */
export interface ChunkInWorker {
  /** Hashes each block of the next piece. All pieces but the last are whole blocks. */
  add(piece: Uint8Array, blockSizeBytes: number, knownZeros: boolean): Promise<PieceHashes>
  /** MD5 of all pieces, in lower-case hex. To be called whatever happens: the worker forgets the chunk. */
  end(): Promise<string>
}

interface Pending {
  readonly resolve: (result: HashResult) => void
  readonly reject: (error: BackupError) => void
}

interface Answer {
  readonly id: number
  readonly sha256s: Uint8Array | null
  readonly md5: string | null
  readonly allZero: boolean
  readonly error?: string
}

/** One worker and what it was asked. It keeps the process alive only while an answer is due. */
class HashWorker {
  readonly #worker = new Worker(hashWorkerProgram, { eval: true, name: 'stowage-hash' })
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  #nextChunk = 0
  #openChunks = 0
  dead = false

  constructor() {
    this.#worker.on('message', (answer: Answer) => {
      const pending = this.#settle(answer.id)
      const { sha256s, md5, allZero } = answer
      if (answer.error === undefined) pending?.resolve({ sha256s, md5, allZero })
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

  /** What it has to do, and what is going to come of the chunks that it has begun. */
  get load(): number {
    return this.#pending.size + this.#openChunks
  }

  run(job: HashJob): Promise<HashResult> {
    return this.#ask(job, undefined)
  }

  openChunk(): ChunkInWorker {
    const chunk = this.#nextChunk
    this.#nextChunk += 1
    this.#openChunks += 1
    return {
      add: async (piece, blockSizeBytes, knownZeros) => {
        const job = { parts: [piece], blockSizeBytes, md5: false, knownZeros }
        const { sha256s, allZero } = await this.#ask(job, chunk)
        return { sha256s: sha256s ?? new Uint8Array(0), allZero }
      },
      end: async () => {
        this.#openChunks -= 1
        const { md5 } = await this.#ask({ parts: [], blockSizeBytes: 0, md5: true }, chunk)
        return md5 ?? ''
      },
    }
  }

  /** @param chunk - the chunk that the job is of, where it goes on with one */
  #ask(job: HashJob, chunk: number | undefined): Promise<HashResult> {
    if (this.dead) return Promise.reject(workerDied())
    return new Promise((resolve, reject) => {
      const id = this.#nextId
      this.#nextId += 1
      this.#pending.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({
        id,
        chunk,
        parts: job.parts.map(({ buffer, byteOffset, length }) => ({
          memory: buffer,
          offset: byteOffset,
          length,
        })),
        blockSize: job.blockSizeBytes,
        wantMd5: job.md5,
        knownZeros: job.knownZeros ?? false,
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
      this.#settle(id)?.reject(workerDied(cause))
    }
  }
}

function workerDied(cause?: unknown): BackupError {
  return new BackupError('STORE_FAILED', 'A hash worker died. Try again.', { cause })
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
  return leastLoaded().run(job)
}

/** Begins a chunk on the worker that has least to do. */
export function openChunkInWorker(): ChunkInWorker {
  return leastLoaded().openChunk()
}

function leastLoaded(): HashWorker {
  for (let index = workers.length - 1; index >= 0; index -= 1) {
    if (workers[index]?.dead) workers.splice(index, 1)
  }
  const [first, ...others] = workers
  const least = others.reduce((found, worker) => (found && found.load <= worker.load ? found : worker), first)
  if (least && (least.load === 0 || workers.length >= availableParallelism())) return least
  const worker = new HashWorker()
  workers.push(worker)
  return worker
}

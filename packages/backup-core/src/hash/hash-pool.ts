import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { WorkerPool } from '../workers/worker-pool.js'

/** A job for bytes in shared memory, in one part or several. */
export interface HashJob {
  /** All but the last are whole blocks, where block hashes are wanted. */
  readonly parts: readonly Uint8Array[]
  /** Computes the SHA-256 of each block of this size; 0 for none. */
  readonly blockSizeBytes: number
  readonly md5: boolean
  /** The parts are known to be zeros, such as the holes of a sparse volume. @default false: they are checked */
  readonly knownZeros?: boolean
}

export interface HashResult {
  /** 32 bytes for each block, or null where they were not requested. */
  readonly sha256s: Uint8Array | null
  /** Lower-case hex, or null where it was not requested. */
  readonly md5: string | null
  /** Whether every byte is zero. */
  readonly allZero: boolean
}

/** The hashes of a piece. */
export interface PieceHashes {
  /** 32 bytes for each block. */
  readonly sha256s: Uint8Array
  /** Whether every byte is zero. */
  readonly allZero: boolean
}

/** A chunk that comes in pieces, which one worker hashes in their order. */
export interface ChunkInWorker {
  /** Hashes each block of the next piece. All pieces but the last are whole blocks. */
  add(piece: Uint8Array, blockSizeBytes: number, knownZeros: boolean): Promise<PieceHashes>
  /** MD5 of all pieces, in lower-case hex. Must be called, also after a failure: it frees the worker. */
  end(): Promise<string>
}

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url
// The build puts the worker beside the module.
const file = new URL(String(here).endsWith('.ts') ? '../../worker/hash-worker.mjs' : './worker.mjs', here)

const pool = new WorkerPool({
  file,
  purpose: 'hash',
  errorCode: 'STORE_FAILED',
  // Chunks wait for a slow store while they are open: a worker has as many as there are, and hashes a piece at a time.
  maxJobsPerWorker: Infinity,
  // Longer than the pauses between the operations of a program.
  idleTimeoutMs: 10_000,
})

/** Starting a worker takes about as long as hashing so many bytes. */
export const BYTES_PER_WORKER: number = 32 * 1024 * 1024

/**
 * Starts workers, at most one for each core, so that they are ready when the first bytes have been read.
 *
 * @param lengthBytes - how much is going to be hashed; undefined where that is unknown. Starts none for little
 */
export function startHashWorkers(lengthBytes: number = BYTES_PER_WORKER): void {
  const count = Math.min(Math.floor(lengthBytes / BYTES_PER_WORKER), availableParallelism())
  for (let started = 0; started < count; started += 1) {
    void hashInWorker({ parts: [], blockSizeBytes: 0, md5: false }).catch(() => undefined)
  }
}

/** Whether a worker was started, and has not ended. */
export function hasHashWorkers(): boolean {
  return pool.size > 0
}

/** Hashes off the main thread, on the worker with the fewest jobs. */
export async function hashInWorker(job: HashJob): Promise<HashResult> {
  return (await pool.run('hashParts', job)) as HashResult
}

/** Begins a chunk on the worker with the fewest jobs. */
export function openChunkInWorker(): ChunkInWorker {
  const { port1: port, port2 } = new MessageChannel()
  const waiting: { resolve: (answer: unknown) => void; reject: (error: unknown) => void }[] = []
  const ended = pool.run('hashPieces', { port: port2 }, { transferList: [port2] })
  ended.catch((error: unknown) => {
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  port.on('message', (answer: unknown) => waiting.shift()?.resolve(answer))
  const ask = (message: unknown): Promise<unknown> => {
    const answer = new Promise<unknown>((resolve, reject) => waiting.push({ resolve, reject }))
    port.postMessage(message)
    // A worker that has died does not answer.
    return Promise.race([answer, ended.then(() => answer)])
  }
  return {
    async add(piece, blockSizeBytes, knownZeros) {
      return (await ask({ piece, blockSizeBytes, knownZeros })) as PieceHashes
    },
    async end() {
      try {
        return ((await ask({})) as { readonly md5: string }).md5
      } finally {
        port.close()
      }
    },
  }
}

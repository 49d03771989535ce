import { createHash, type Hash } from 'node:crypto'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { isAllZeros } from '../volume/zeros.js'
import {
  BYTES_PER_WORKER,
  hasHashWorkers,
  hashInWorker,
  openChunkInWorker,
  type ChunkInWorker,
  type HashJob,
  type HashResult,
  type PieceHashes,
} from './hash-pool.js'

/** Below this length a message to a worker costs more than hashing, which takes about a quarter of a millisecond. */
const MIN_WORKER_BYTES = 128 * 1024

/** How much the main thread hashes before the event loop runs: a few milliseconds. */
const INLINE_STEP_BYTES = 1024 * 1024

/** Hashed on the main thread so far. A process that hashes little does without workers. */
let inlineBytes = 0

/**
 * Computes the SHA-256 of each block of some buffers, and the MD5 of all of them in sequence. Short ones, and the first ones
 * of a process, are hashed on the main thread.
 */
export async function hashParts(job: HashJob): Promise<HashResult> {
  const { parts, blockSizeBytes, knownZeros = false } = job
  if (chooseWorker(parts)) return hashInWorker(job)
  const md5 = job.md5 ? createHash('md5') : undefined
  const hashed: PieceHashes[] = []
  for (const part of parts) hashed.push(await hashInSteps(part, blockSizeBytes, md5, knownZeros))
  return {
    sha256s: blockSizeBytes > 0 ? Buffer.concat(hashed.map(({ sha256s }) => sha256s)) : null,
    md5: md5?.digest('hex') ?? null,
    allZero: hashed.every(({ allZero }) => allZero),
  }
}

/** Whether a worker hashes these. Counts the bytes of the main thread: workers pay off once there have been enough. */
function chooseWorker(parts: readonly Uint8Array[]): boolean {
  const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0)
  if (lengthBytes <= MIN_WORKER_BYTES) return false
  if (!parts.every(({ buffer }) => buffer instanceof SharedArrayBuffer)) return false
  if (hasHashWorkers()) return true
  inlineBytes += lengthBytes
  return inlineBytes > BYTES_PER_WORKER
}

/**
 * Hashes a chunk whose pieces come one after the other, with the MD5 of the whole in the same pass. One thread hashes the
 * pieces of a chunk, in the order of the calls; other chunks keep the other cores busy.
 */
export class ChunkHasher {
  readonly #blockSizeBytes: number
  #worker: ChunkInWorker | undefined
  #md5: Hash | undefined
  /** The last piece that the main thread hashes. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(blockSizeBytes: number) {
    this.#blockSizeBytes = blockSizeBytes
  }

  /**
   * Hashes each block. All pieces but the last are whole blocks.
   *
   * @param knownZeros - the piece is known to be zeros, so that they are not checked
   */
  add(piece: Uint8Array, knownZeros = false): Promise<PieceHashes> {
    this.#md5 ??= this.#worker || chooseWorker([piece]) ? undefined : createHash('md5')
    const md5 = this.#md5
    if (md5) {
      const hashes = this.#last.then(() => hashInSteps(piece, this.#blockSizeBytes, md5, knownZeros))
      this.#last = hashes
      return hashes
    }
    this.#worker ??= openChunkInWorker()
    return this.#worker.add(piece, this.#blockSizeBytes, knownZeros)
  }

  /** MD5 of all pieces, in lower-case hex. The next piece is the first of another chunk. */
  async end(): Promise<string> {
    const [worker, md5, last] = [this.#worker, this.#md5 ?? createHash('md5'), this.#last]
    this.#worker = undefined
    this.#md5 = undefined
    if (worker) return worker.end()
    await last
    return md5.digest('hex')
  }
}

/** Computes the MD5 of some buffers in sequence, in lower-case hex. */
export async function md5Of(parts: readonly Uint8Array[], knownZeros = false): Promise<string> {
  const { md5 } = await hashParts({ parts, blockSizeBytes: 0, md5: true, knownZeros })
  if (md5 === null) throw new RangeError('the MD5 that was requested is missing')
  return md5
}

/** The length of the buffer of zeros, which is hashed as often as needed. */
const ZEROS_BYTES = 1024 * 1024

/** Computes the MD5 of so many zeros, in lower-case hex. A worker remembers the results. */
export function md5OfZeros(lengthBytes: number): Promise<string> {
  const zeros = new Uint8Array(new SharedArrayBuffer(Math.min(ZEROS_BYTES, lengthBytes)))
  const parts: Uint8Array[] = []
  for (let leftBytes = lengthBytes; leftBytes > 0; leftBytes -= zeros.length)
    parts.push(zeros.subarray(0, leftBytes))
  return md5Of(parts, true)
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/** Hashes a buffer on the main thread, and lets the event loop run after each step. */
async function hashInSteps(
  buffer: Uint8Array,
  blockSizeBytes: number,
  md5: Hash | undefined,
  knownZeros: boolean,
): Promise<PieceHashes> {
  const sha256s: Uint8Array[] = []
  let allZero = true
  const stepBytes = Math.ceil(INLINE_STEP_BYTES / (blockSizeBytes || 1)) * (blockSizeBytes || 1)
  for (let at = 0; at < buffer.length; at += stepBytes) {
    if (at > 0) await nextIteration()
    const bytes = buffer.subarray(at, at + stepBytes)
    md5?.update(bytes)
    if (blockSizeBytes > 0) sha256s.push(sha256OfBlocks(bytes, blockSizeBytes))
    allZero &&= knownZeros || isAllZeros(bytes)
  }
  return { sha256s: sha256s.length === 1 && sha256s[0] ? sha256s[0] : Buffer.concat(sha256s), allZero }
}

/** The last block of a volume may be short: its hash is over the bytes there are. */
function sha256OfBlocks(bytes: Uint8Array, blockSizeBytes: number): Uint8Array {
  const count = Math.ceil(bytes.length / blockSizeBytes)
  const hashes = new Uint8Array(count * 32)
  for (let block = 0; block < count; block += 1) {
    const start = block * blockSizeBytes
    hashes.set(sha256(bytes.subarray(start, start + blockSizeBytes)), block * 32)
  }
  return hashes
}

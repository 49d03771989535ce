import { throwIfAborted } from '@stowage/backup-core'
import { limitFunction } from 'p-limit'
import { EventLoopYielder } from './event-loop.js'
import { coreCount } from './workers.js'

/**
 * The pieces of all chunks that are compressed concurrently: one for each core, and one that waits, so that no thread is
 * idle while the main thread prepares the next.
 */
const limitPieces = limitFunction((work: () => Promise<void>) => work(), { concurrency: coreCount + 1 })

/** Cuts `bytes` into pieces; the last may be shorter. */
export function* cut(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    yield bytes.subarray(offset, offset + pieceBytes)
  }
}

/**
 * Works on as many pieces concurrently as there are cores, and starts them in order.
 *
 * After a failure or an abort no further piece is begun, and this waits for those that were: the bytes are the caller's
 * again when it ends.
 */
export async function mapPieces<Piece>(
  pieces: Iterable<Piece>,
  signal: AbortSignal | undefined,
  work: (piece: Piece, index: number) => Promise<void> | void,
): Promise<void> {
  const failures: unknown[] = []
  const yielder = new EventLoopYielder()
  const workOn = async (piece: Piece, index: number): Promise<void> => {
    if (failures.length > 0 || signal?.aborted === true) return
    try {
      await work(piece, index)
      await yielder.yieldIfDue()
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from(pieces, (piece, index) => limitPieces(() => workOn(piece, index))))
  if (failures.length > 0) throw failures[0]
  throwIfAborted(signal, 'Compressing')
}

/** The memory for a result that must be shorter than its input: the caller's where that is long enough, else fresh. */
export function outputMemory(inputLengthBytes: number, buffer: Uint8Array | undefined): Uint8Array {
  const maxBytes = Math.max(0, inputLengthBytes - 1)
  return buffer !== undefined && buffer.length >= maxBytes
    ? buffer.subarray(0, maxBytes)
    : Buffer.allocUnsafeSlow(maxBytes)
}

/**
 * Joins the results of pieces, which come in any order: each is put into its place as soon as those before it are there,
 * so that few of them are held beside the whole.
 */
export class InOrderWriter {
  readonly #target: Uint8Array
  readonly #waiting = new Map<number, readonly Uint8Array[]>()
  #next = 0
  #lengthBytes = 0
  #full = false

  constructor(target: Uint8Array) {
    this.#target = target
  }

  /** Whether the parts have outgrown their memory. */
  get full(): boolean {
    return this.#full
  }

  /** Whether a piece of that index is copied by `put`; one that must wait is kept as it is. */
  isNext(index: number): boolean {
    return index === this.#next
  }

  put(index: number, parts: readonly Uint8Array[]): void {
    this.#waiting.set(index, parts)
    for (let next = this.#waiting.get(this.#next); next; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next++)
      for (const part of next) this.append(part)
    }
  }

  /** Adds what is no piece: a header, or an end. */
  append(part: Uint8Array): void {
    if (this.#lengthBytes + part.length > this.#target.length) this.#full = true
    if (this.#full) return
    this.#target.set(part, this.#lengthBytes)
    this.#lengthBytes += part.length
  }

  /** The joined parts, or null where they did not fit. */
  end(): Uint8Array | null {
    return this.#full ? null : this.#target.subarray(0, this.#lengthBytes)
  }
}

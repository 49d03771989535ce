import { adlerOfNothing, joinAdler32 } from '../adler32.js'
import { storedBlocks } from '../stored-blocks.js'
import { zlibHeader } from '../zlib-header.js'

/** A part of a stream: deflated up to a whole byte, or raw and still to be wrapped into stored blocks. */
export type StreamPiece = ({ readonly deflated: readonly Uint8Array[] } | { readonly stored: Uint8Array }) & {
  readonly rawBytes: number
  /** The Adler-32 of the raw bytes. */
  readonly adler: number
}

/** An empty block with fixed codes, marked as the last (RFC 1951, section 3.2.6). */
const lastBlock = Uint8Array.of(0x03, 0x00)

/** Header, last block and checksum. */
export const frameBytes = 2 + lastBlock.length + 4

/**
 * Joins pieces, which are done in any order, into one zlib stream: each is put into its place as soon as those before
 * it are there, so that no more than a few of them are held beside the stream.
 */
export class PieceWriter {
  readonly #target: Uint8Array
  readonly #waiting = new Map<number, StreamPiece>()
  #next = 0
  #adler = adlerOfNothing
  #lengthBytes = 0
  #full = false

  constructor(target: Uint8Array, level: number) {
    this.#target = target
    this.#append(zlibHeader(level))
  }

  /** Whether the stream has outgrown its memory. */
  get full(): boolean {
    return this.#full
  }

  put(index: number, piece: StreamPiece): void {
    this.#waiting.set(index, piece)
    for (let next = this.#waiting.get(this.#next); next; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next)
      this.#next += 1
      this.#adler = joinAdler32(this.#adler, next.adler, next.rawBytes)
      for (const part of 'deflated' in next ? next.deflated : storedBlocks(next.stored)) this.#append(part)
    }
  }

  /** The whole stream, or null where it did not fit. */
  end(): Uint8Array | null {
    const end = Buffer.alloc(lastBlock.length + 4)
    end.set(lastBlock)
    end.writeUInt32BE(this.#adler, lastBlock.length)
    this.#append(end)
    return this.#full ? null : this.#target.subarray(0, this.#lengthBytes)
  }

  #append(part: Uint8Array): void {
    if (this.#lengthBytes + part.length > this.#target.length) this.#full = true
    if (this.#full) return
    this.#target.set(part, this.#lengthBytes)
    this.#lengthBytes += part.length
  }
}

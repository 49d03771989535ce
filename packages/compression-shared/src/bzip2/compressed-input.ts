import { EventLoopYielder } from '../event-loop.js'
import type { PieceReader } from '../piece-reader.js'

/** How much is read at a time. */
const segmentBytes = 128 * 1024

/** What a segment repeats of the one before, so that a few bytes can be read without crossing an edge. */
const overlapBytes = 16

/** Consecutive bytes of the object in one buffer, which do not change any more. */
export interface Segment {
  /** The offset of its first byte in the object. */
  readonly startByte: number
  readonly bytes: Uint8Array
}

const nothing: Segment = { startByte: 0, bytes: new Uint8Array(0) }

const endOf = ({ startByte, bytes }: Segment): number => startByte + bytes.length

/** The compressed bytes: all of them, or a window that moves through an object in pieces. Offsets are the object's. */
export class CompressedInput {
  readonly #segments: Segment[]
  /** Undefined for an object in memory. */
  readonly #reader: PieceReader | undefined
  readonly #yielder = new EventLoopYielder()
  /** What is left of a piece of the source, which is valid until the next is read. */
  #rest: Uint8Array = new Uint8Array(0)
  #isAllRead: boolean

  /** @param source - an object in memory, which is not copied; or the reader of one in pieces, which the caller closes */
  constructor(source: Uint8Array | PieceReader) {
    const isInMemory = source instanceof Uint8Array
    this.#segments = [isInMemory ? { startByte: 0, bytes: source } : nothing]
    this.#reader = isInMemory ? undefined : source
    this.#isAllRead = isInMemory
  }

  /** Whether nothing follows what has been read. */
  get isAllRead(): boolean {
    return this.#isAllRead
  }

  /** The end of what has been read. */
  get endByte(): number {
    return endOf(this.#last)
  }

  /** Reads on up to `endByte`; false where the object ends sooner. */
  async reach(endByte: number): Promise<boolean> {
    while (this.endByte < endByte && !this.#isAllRead) await this.#readSegment()
    return this.endByte >= endByte
  }

  /** Up to 16 bytes; fewer at the object's end. */
  async read(startByte: number, lengthBytes: number): Promise<Uint8Array> {
    await this.reach(startByte + lengthBytes)
    const { startByte: base, bytes } = this.segmentTo(startByte + lengthBytes)
    return bytes.subarray(Math.max(0, startByte - base), Math.max(0, startByte + lengthBytes - base))
  }

  /** The segment that reaches up to `endByte`, or the last one. */
  segmentTo(endByte: number): Segment {
    return this.#segments.find((segment) => endOf(segment) >= endByte) ?? this.#last
  }

  /** Bytes that have been read, in as many parts as there are buffers. The parts stay valid. */
  parts(startByte: number, endByte: number): Uint8Array[] {
    const parts: Uint8Array[] = []
    let at = startByte
    for (const segment of this.#segments) {
      if (endOf(segment) <= at) continue
      if (at >= endByte) break
      parts.push(segment.bytes.subarray(at - segment.startByte, endByte - segment.startByte))
      at = Math.min(endByte, endOf(segment))
    }
    return parts
  }

  /** Releases what comes before a byte. */
  forgetBefore(byte: number): void {
    const first = this.#segments.findIndex((segment) => endOf(segment) > byte)
    this.#segments.splice(0, first < 0 ? this.#segments.length - 1 : first)
  }

  get #last(): Segment {
    return this.#segments.at(-1) ?? nothing
  }

  async #readSegment(): Promise<void> {
    const { bytes: before } = this.#last
    const overlap = before.subarray(Math.max(0, before.length - overlapBytes))
    const startByte = this.endByte - overlap.length
    const bytes = new Uint8Array(overlap.length + segmentBytes)
    bytes.set(overlap)
    let filledBytes = overlap.length
    while (filledBytes < bytes.length) {
      if (this.#rest.length === 0) {
        const piece = await this.#reader?.next()
        if (piece === undefined) {
          this.#isAllRead = true
          break
        }
        this.#rest = piece
      }
      const taken = this.#rest.subarray(0, bytes.length - filledBytes)
      bytes.set(taken, filledBytes)
      filledBytes += taken.length
      this.#rest = this.#rest.subarray(taken.length)
      await this.#yielder.yieldIfDue()
    }
    this.#segments.push({ startByte, bytes: bytes.subarray(0, filledBytes) })
  }
}

import { Turns } from '@stowage/compression-workers'
import type { PieceReader } from '@stowage/compression-workers'

/** How much is read before it is looked at. */
const segmentBytes = 128 * 1024

/** What a segment repeats of the one before, so that nobody has to read a few bytes across an edge. */
const overlapBytes = 16

/** A run of bytes in one memory, which does not change once it is here. */
export interface Segment {
  /** Where the first of its bytes lies in the object. */
  readonly startByte: number
  readonly bytes: Uint8Array
}

const nothing: Segment = { startByte: 0, bytes: new Uint8Array(0) }

const endOf = ({ startByte, bytes }: Segment): number => startByte + bytes.length

/**
 * The compressed bytes, as far as they are at hand: all of them, or a window that moves through the object. All places
 * are counted from the object's beginning.
 */
export class CompressedInput {
  #segments: Segment[]
  readonly #reader: PieceReader | undefined
  readonly #turns = new Turns()
  /** What is left of a piece of the source: it is good until the next is asked for. */
  #rest: Uint8Array = new Uint8Array(0)
  #isAllRead: boolean

  private constructor(segments: Segment[], reader: PieceReader | undefined) {
    this.#segments = segments
    this.#reader = reader
    this.#isAllRead = reader === undefined
  }

  /** An object that is in memory. */
  static whole(bytes: Uint8Array): CompressedInput {
    return new CompressedInput([{ startByte: 0, bytes }], undefined)
  }

  /** An object that comes in pieces. The reader stays the caller's to close. */
  static from(reader: PieceReader): CompressedInput {
    return new CompressedInput([nothing], reader)
  }

  /** Whether nothing follows what is at hand. */
  get isAllRead(): boolean {
    return this.#isAllRead
  }

  /** The place behind the last byte at hand. */
  get endByte(): number {
    return endOf(this.#last)
  }

  /** Reads on until everything before `endByte` is at hand; false where the object ends sooner. */
  async reach(endByte: number): Promise<boolean> {
    while (this.endByte < endByte && !this.#isAllRead) await this.#readSegment()
    return this.endByte >= endByte
  }

  /** A few bytes, 16 at most, which may be one by one in any segment; less of them at the object's end. */
  async read(startByte: number, lengthBytes: number): Promise<Uint8Array> {
    await this.reach(startByte + lengthBytes)
    const { startByte: base, bytes } = this.segmentTo(startByte + lengthBytes)
    return bytes.subarray(Math.max(0, startByte - base), Math.max(0, startByte + lengthBytes - base))
  }

  /** The segment that reaches up to `endByte`, or the last one. */
  segmentTo(endByte: number): Segment {
    return this.#segments.find((segment) => endOf(segment) >= endByte) ?? this.#last
  }

  /** Bytes that are at hand, in as many parts as they lie in. They stay as they are for as long as they are held. */
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

  /** Lets go of what lies before a place. */
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
      await this.#turns.give()
    }
    this.#segments.push({ startByte, bytes: bytes.subarray(0, filledBytes) })
  }
}

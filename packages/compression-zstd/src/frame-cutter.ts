import { usualWindowBytes } from './check-frames.js'
import { cutShort, damaged, notZstd, tooLong, trailing, windowTooLarge } from './corrupt.js'
import { frameMagic, readFrameHeader } from './frame-header.js'
import {
  blockHeaderBytes,
  checksumBytes,
  isSkippable,
  mostBlockBytes,
  skippableHeaderBytes,
} from './walk-frames.js'

/** Magic, descriptor, window, dictionary, content size. */
const mostHeaderBytes = 4 + 1 + 1 + 4 + 8
const magicBytes = 4

/**
 * Each frame costs a tenth of a millisecond, and a damaged object can have a million of them. Cinder and Stowage write one;
 * programs that work on several threads cut at some MiB, which makes a thousand of the largest chunk.
 */
const mostFrames = 10_000

/** What the next byte belongs to. */
type Place = 'frame header' | 'block header' | 'block' | 'checksum' | 'skipped'

/**
 * Cuts an object that comes in pieces where its frames end, by their headers and those of their blocks: a decoder that
 * gets more than the rest of a frame ends with it, and one that gets less takes it for whole.
 *
 * @throws BackupError `OBJECT_CORRUPT` unless the object is a row of whole frames and nothing else, and where a frame
 * says that it holds more than was expected, asks for too large a window, or is one of far too many: before a byte of
 * that frame is given.
 */
export class FrameCutter {
  readonly #expectedLengthBytes: number
  readonly #header = new Uint8Array(mostHeaderBytes)
  #headerBytes = 0
  #place: Place = 'frame header'
  /** How many bytes are left of what the next byte belongs to. */
  #leftBytes = 0
  #blockHeader = 0
  #hasChecksum = false
  #isFirst = true
  #declaredBytes = 0
  #frames = 0

  constructor(expectedLengthBytes: number) {
    this.#expectedLengthBytes = expectedLengthBytes
  }

  /** The parts of a piece, none of which goes beyond the end of its frame. Skippable frames are left out. */
  *cut(piece: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < piece.length;) {
      if (this.#place === 'frame header') {
        this.#header[this.#headerBytes++] = piece[at++] ?? 0
        const header = this.#endHeader(piece.length - at)
        if (header !== undefined) yield header
      } else if (this.#place === 'skipped') {
        at += this.#take(piece.length - at)
      } else {
        const start = at
        at = this.#walkFrame(piece, at)
        yield piece.subarray(start, at)
      }
    }
  }

  /** To be called when no piece follows: throws where a frame has not ended. */
  end(): void {
    const isBetween = this.#place === 'frame header' && this.#headerBytes < magicBytes && !this.#isFirst
    if (!isBetween) throw cutShort()
    if (this.#headerBytes > 0) throw trailing(this.#headerBytes)
  }

  /** The header, where it ends here and is that of a frame to be opened. `leftBytes` of the piece follow it. */
  #endHeader(leftBytes: number): Uint8Array | undefined {
    const bytes = this.#header.slice(0, this.#headerBytes)
    if (bytes.length < magicBytes) return undefined
    const view = new DataView(bytes.buffer)
    const magic = view.getUint32(0, true)
    if (isSkippable(magic)) {
      if (bytes.length < skippableHeaderBytes) return undefined
      this.#headerBytes = 0
      this.#go('skipped', view.getUint32(magicBytes, true))
      return undefined
    }
    if (magic !== frameMagic) {
      throw this.#isFirst ? notZstd() : trailing(bytes.length + leftBytes, false)
    }
    const header = readFrameHeader(view, 0)
    if (header === undefined) return undefined
    this.#frames += 1
    if (this.#frames > mostFrames) throw damaged(`one of more than ${mostFrames} in the object`)
    const { contentBytes = 0, windowBytes } = header
    this.#declaredBytes += contentBytes
    if (this.#declaredBytes > this.#expectedLengthBytes) throw tooLong(this.#expectedLengthBytes)
    // A decoder needs no more than the content.
    const neededBytes = Math.min(windowBytes, header.contentBytes ?? Infinity)
    if (neededBytes > usualWindowBytes) throw windowTooLarge(windowBytes)
    this.#hasChecksum = header.hasChecksum
    this.#headerBytes = 0
    this.#go('block header', blockHeaderBytes)
    return bytes
  }

  /** Gives where the frame ends, or the piece. */
  #walkFrame(piece: Uint8Array, start: number): number {
    let at = start
    while (at < piece.length && this.#place !== 'frame header') {
      if (this.#place === 'block header') {
        this.#blockHeader |= (piece[at] ?? 0) << (8 * (blockHeaderBytes - this.#leftBytes))
        at += this.#take(1)
      } else at += this.#take(piece.length - at)
    }
    return at
  }

  /** Goes on by that many bytes, or to where something else begins. */
  #take(availableBytes: number): number {
    const takenBytes = Math.min(availableBytes, this.#leftBytes)
    this.#leftBytes -= takenBytes
    if (this.#leftBytes === 0) this.#goOn()
    return takenBytes
  }

  /** What comes behind what ends here. */
  #goOn(): void {
    if (this.#place === 'block header') {
      const size = this.#blockHeader >>> 3
      const type = (this.#blockHeader >>> 1) & 0x03
      if (type === 3 || size > mostBlockBytes) throw damaged('a block that cannot be')
      this.#go('block', type === 1 ? 1 : size)
    } else if (this.#place === 'block') {
      const isLast = (this.#blockHeader & 1) === 1
      this.#blockHeader = 0
      if (!isLast) this.#go('block header', blockHeaderBytes)
      else if (this.#hasChecksum) this.#go('checksum', checksumBytes)
      else this.#go('frame header', 0)
    } else this.#go('frame header', 0)
  }

  #go(place: Place, leftBytes: number): void {
    this.#place = place
    this.#leftBytes = leftBytes
    if (place === 'frame header') this.#isFirst = false
    // A block may hold nothing, and a skippable frame as well.
    else if (leftBytes === 0) this.#goOn()
  }
}

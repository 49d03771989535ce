import { cut, EventLoopYielder, streamErrors } from '@stowage/compression-shared'
import type { StreamErrors } from '@stowage/compression-shared'

export const errors: StreamErrors = streamErrors('zstd')

/** A frame begins with these four bytes (RFC 8878, section 3.1.1). */
const frameMagic = 0xfd2fb528
const magicBytes = 4

/** No block decompresses to more (RFC 8878, section 3.1.1.2.4). */
const maxBlockBytes = 128 * 1024
const blockHeaderBytes = 3
const checksumBytes = 4
const skippableHeaderBytes = 8

/** Magic, descriptor, window, dictionary, content size. */
const maxHeaderBytes = magicBytes + 1 + 1 + 4 + 8

/** The largest window that the program `zstd` accepts by default. */
const usualWindowBytes = 128 * 1024 * 1024

/**
 * Each frame costs a tenth of a millisecond, and a damaged object can have a million. Cinder and Stowage write one;
 * programs that use several threads cut at some MiB, which makes a thousand of the largest chunk.
 */
const maxFrames = 10_000

/** How much is split between two checks of the clock. */
const stepBytes = 64 * 1024

/** What the header of a frame declares (RFC 8878, section 3.1.1.1). */
interface FrameHeader {
  /** How much a decoder must remember. */
  readonly windowBytes: number
  readonly contentBytes: number | undefined
  readonly hasChecksum: boolean
}

/** The lengths of the fields, by the flags in the descriptor. */
const dictionaryIdBytes = [0, 1, 2, 4] as const
const contentSizeBytes = [0, 2, 4, 8] as const

/** Reads the header at the beginning of `view`; undefined where it is not complete. */
export function readFrameHeader(view: DataView): FrameHeader | undefined {
  if (view.byteLength < 5) return undefined
  const descriptor = view.getUint8(4)
  if ((descriptor & 0x08) !== 0) throw errors.damaged('a reserved bit is set')
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = (descriptor >>> 6) as 0 | 1 | 2 | 3
  const windowAt = 5
  const dictionaryAt = windowAt + (isSingleSegment ? 0 : 1)
  const sizeAt = dictionaryAt + dictionaryIdBytes[(descriptor & 0x03) as 0 | 1 | 2 | 3]
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeFlag]
  if (view.byteLength < sizeAt + sizeBytes) return undefined
  for (let index = dictionaryAt; index < sizeAt; index++) {
    if (view.getUint8(index) !== 0) throw errors.damaged('it needs a dictionary, and Cinder uses none')
  }
  const contentBytes = sizeBytes === 0 ? undefined : readSize(view, sizeAt, sizeBytes)
  return {
    windowBytes: isSingleSegment ? (contentBytes ?? 0) : windowOf(view.getUint8(windowAt)),
    contentBytes,
    hasChecksum: (descriptor & 0x04) !== 0,
  }
}

function readSize(view: DataView, at: number, sizeBytes: 1 | 2 | 4 | 8): number {
  if (sizeBytes === 1) return view.getUint8(at)
  // Two bytes count from 256, since one byte would hold less.
  if (sizeBytes === 2) return view.getUint16(at, true) + 256
  if (sizeBytes === 4) return view.getUint32(at, true)
  return Number(view.getBigUint64(at, true))
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3))
  return base + (base / 8) * (descriptor & 0x07)
}

/**
 * The parts of an object in memory, as {@link FrameSplitter} makes them: two for each frame.
 *
 * @throws BackupError `OBJECT_CORRUPT`, before any memory is allocated for the result
 */
export async function splitFrames(bytes: Uint8Array, expectedLengthBytes: number): Promise<Uint8Array[]> {
  const splitter = new FrameSplitter(expectedLengthBytes, Math.max(usualWindowBytes, expectedLengthBytes))
  const yielder = new EventLoopYielder()
  const parts: Uint8Array[] = []
  for (const step of cut(bytes, stepBytes)) {
    for (const part of splitter.split(step)) {
      const last = parts.at(-1)
      // Headers are copies, so that bytes next to each other are of one frame.
      const isNext = last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset
      if (last === undefined || !isNext) parts.push(part)
      else parts[parts.length - 1] = new Uint8Array(part.buffer, last.byteOffset, last.length + part.length)
    }
    await yielder.yieldIfDue()
  }
  splitter.end()
  return parts
}

/** What the next byte belongs to. */
type Place = 'frame header' | 'block header' | 'block' | 'checksum' | 'skipped'

/**
 * Splits an object where its frames end, by their headers and those of their blocks, without decompressing any. The
 * decoders need it: one that gets more than the rest of a frame stops there, and one that gets less takes it for whole.
 *
 * @throws BackupError `OBJECT_CORRUPT` unless the object is a sequence of whole frames and nothing else, and where it
 * cannot decompress to the expected length, needs too large a window, or has too many frames
 */
export class FrameSplitter {
  readonly #expectedLengthBytes: number
  readonly #maxWindowBytes: number
  readonly #header = new Uint8Array(maxHeaderBytes)
  #headerBytes = 0
  #place: Place = 'frame header'
  /** How many bytes are left of what the next byte belongs to. */
  #leftBytes = 0
  #blockHeader = 0
  #frame: FrameHeader | undefined
  /** What the frame's blocks decompress to at most. */
  #frameMaxBytes = 0
  #isFirst = true
  #frames = 0
  /** What the frames decompress to at least and at most. */
  #minBytes = 0
  #maxBytes = 0

  constructor(expectedLengthBytes: number, maxWindowBytes: number = usualWindowBytes) {
    this.#expectedLengthBytes = expectedLengthBytes
    this.#maxWindowBytes = maxWindowBytes
  }

  /** The parts of a piece, none of which spans two frames. Skippable frames are left out. Headers are copies. */
  *split(piece: Uint8Array): Generator<Uint8Array> {
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

  /** To be called after the last piece. */
  end(): void {
    const isBetween = this.#place === 'frame header' && this.#headerBytes < magicBytes && !this.#isFirst
    if (!isBetween) throw errors.cutShort()
    if (this.#headerBytes > 0) throw errors.trailing(this.#headerBytes)
    if (this.#maxBytes < this.#expectedLengthBytes) {
      throw errors.tooShort(this.#maxBytes, this.#expectedLengthBytes)
    }
  }

  /** The header, where it ends here and is not that of a skippable frame. `leftBytes` of the piece follow it. */
  #endHeader(leftBytes: number): Uint8Array | undefined {
    const bytes = this.#header.slice(0, this.#headerBytes)
    if (bytes.length < magicBytes) return undefined
    const view = new DataView(bytes.buffer)
    const magic = view.getUint32(0, true)
    // RFC 8878, section 3.1.2.
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      if (bytes.length < skippableHeaderBytes) return undefined
      this.#headerBytes = 0
      this.#go('skipped', view.getUint32(magicBytes, true))
      return undefined
    }
    if (magic !== frameMagic) {
      throw this.#isFirst ? errors.wrongFormat() : errors.trailing(bytes.length + leftBytes, true)
    }
    const header = readFrameHeader(view)
    if (header === undefined) return undefined
    if (++this.#frames > maxFrames) throw errors.damaged(`it has more than ${maxFrames} frames`)
    const { contentBytes, windowBytes } = header
    this.#minBytes += contentBytes ?? 0
    if (this.#minBytes > this.#expectedLengthBytes) throw errors.tooLong(this.#expectedLengthBytes)
    // A decoder needs no more than the content.
    if (Math.min(windowBytes, contentBytes ?? Infinity) > this.#maxWindowBytes) {
      throw errors.damaged(
        `it needs a window of ${windowBytes} bytes, and the limit is ${this.#maxWindowBytes}`,
      )
    }
    this.#frame = header
    this.#frameMaxBytes = 0
    this.#headerBytes = 0
    this.#go('block header', blockHeaderBytes)
    return bytes
  }

  /** Returns where the frame ends, or the piece. */
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

  /** Goes to what follows what ends here. */
  #goOn(): void {
    if (this.#place === 'block header') {
      const size = this.#blockHeader >>> 3
      const type = (this.#blockHeader >>> 1) & 0x03
      if (type === 3 || size > maxBlockBytes) throw errors.damaged('it has an invalid block')
      // Stored as it is, one byte repeated, or compressed.
      this.#frameMaxBytes += type === 2 ? maxBlockBytes : size
      this.#go('block', type === 1 ? 1 : size)
    } else if (this.#place === 'block') {
      const isLast = (this.#blockHeader & 1) === 1
      this.#blockHeader = 0
      if (!isLast) this.#go('block header', blockHeaderBytes)
      else if (this.#frame?.hasChecksum === true) this.#go('checksum', checksumBytes)
      else this.#endFrame()
    } else if (this.#place === 'checksum') this.#endFrame()
    else this.#go('frame header', 0)
  }

  #endFrame(): void {
    const contentBytes = this.#frame?.contentBytes
    if (contentBytes !== undefined && contentBytes > this.#frameMaxBytes) {
      throw errors.damaged(`it declares ${contentBytes} bytes, more than its blocks can hold`)
    }
    this.#maxBytes += contentBytes ?? this.#frameMaxBytes
    this.#go('frame header', 0)
  }

  #go(place: Place, leftBytes: number): void {
    this.#place = place
    this.#leftBytes = leftBytes
    if (place === 'frame header') this.#isFirst = false
    // A block may be empty, and a skippable frame as well.
    else if (leftBytes === 0) this.#goOn()
  }
}

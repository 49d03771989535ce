import { damaged, needsDictionary } from './corrupt.js'

/** A frame begins with these four bytes (RFC 8878, section 3.1.1). */
export const frameMagic = 0xfd2fb528

/** What the header of a zstd frame says (RFC 8878, section 3.1.1.1). */
export interface FrameHeader {
  /** From the magic to the first block. */
  readonly headerBytes: number
  /** How much a decoder that gives its output in pieces has to remember. */
  readonly windowBytes: number
  /** How much the frame says that it holds. */
  readonly contentBytes: number | undefined
  readonly hasChecksum: boolean
}

/** The lengths of the fields, by the flags that say so. */
const dictionaryIdBytes = [0, 1, 2, 4] as const
const contentSizeBytes = [0, 2, 4, 8] as const

/** Reads the header that begins at `at`, or gives undefined where it is not all there. */
export function readFrameHeader(view: DataView, at: number): FrameHeader | undefined {
  const left = view.byteLength - at
  if (left < 5) return undefined
  const descriptor = view.getUint8(at + 4)
  if ((descriptor & 0x08) !== 0) throw damaged('a reserved bit is set')
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryFlag = (descriptor & 0x03) as 0 | 1 | 2 | 3
  const sizeFlag = (descriptor >>> 6) as 0 | 1 | 2 | 3
  const windowAt = at + 5
  const dictionaryAt = windowAt + (isSingleSegment ? 0 : 1)
  const sizeAt = dictionaryAt + dictionaryIdBytes[dictionaryFlag]
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeFlag]
  const headerBytes = sizeAt + sizeBytes - at
  if (left < headerBytes) return undefined
  for (let index = dictionaryAt; index < sizeAt; index++) {
    if (view.getUint8(index) !== 0) throw needsDictionary()
  }
  const contentBytes = sizeBytes === 0 ? undefined : readSize(view, sizeAt, sizeBytes)
  return {
    headerBytes,
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

import { Turns } from '@stowage/compression-workers'
import { cutShort, damaged, notZstd, trailing } from './corrupt.js'
import { frameMagic, readFrameHeader } from './frame-header.js'
import type { FrameHeader } from './frame-header.js'

/** One frame of an object. */
export interface Frame extends FrameHeader {
  readonly start: number
  readonly end: number
  /** What its blocks can open to at most. */
  readonly mostBytes: number
}

/** No block opens to more (RFC 8878, section 3.1.1.2.4). */
export const mostBlockBytes = 128 * 1024

export const blockHeaderBytes = 3
export const checksumBytes = 4
export const skippableHeaderBytes = 8

/** How many blocks are walked between two looks at the clock: 0.1 ms. */
const blocksAStep = 2_000

/** Whether a frame that begins so is one to be skipped (RFC 8878, section 3.1.2). */
export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === 0x184d2a50

/**
 * Finds the frames of an object by their headers and those of their blocks, without opening any: where each ends, and
 * what it can open to. Skippable frames are left out.
 *
 * The decoders do not tell: Node's stops behind the first frame, and takes a frame without its checksum for whole.
 *
 * @throws BackupError `OBJECT_CORRUPT` unless the object is a row of whole frames and nothing else.
 */
export async function walkFrames(bytes: Uint8Array): Promise<Frame[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: Frame[] = []
  const turns = new Turns()
  let steps = 0
  if (bytes.length === 0) throw cutShort()
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at
    const magic = left < 4 ? undefined : view.getUint32(at, true)
    if (magic !== undefined && isSkippable(magic)) {
      const next =
        left < skippableHeaderBytes ? Infinity : at + skippableHeaderBytes + view.getUint32(at + 4, true)
      if (next > bytes.length) throw cutShort()
      at = next
      if (++steps % blocksAStep === 0) await turns.give()
      continue
    }
    if (magic !== frameMagic) throw at > 0 ? trailing(left) : magic === undefined ? cutShort() : notZstd()
    const header = readFrameHeader(view, at)
    if (header === undefined) throw cutShort()
    const start = at
    let mostBytes = 0
    at += header.headerBytes
    for (let isLast = false; !isLast;) {
      if (at + blockHeaderBytes > bytes.length) throw cutShort()
      const blockHeader = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
      const size = blockHeader >>> 3
      const type = (blockHeader >>> 1) & 0x03
      isLast = (blockHeader & 1) === 1
      if (type === 3 || size > mostBlockBytes) throw damaged('a block that cannot be')
      // Stored as it is, one byte repeated, or compressed.
      mostBytes += type === 2 ? mostBlockBytes : size
      at += blockHeaderBytes + (type === 1 ? 1 : size)
      if (++steps % blocksAStep === 0) await turns.give()
    }
    if (header.hasChecksum) at += checksumBytes
    if (at > bytes.length) throw cutShort()
    frames.push({ ...header, start, end: at, mostBytes })
  }
  return frames
}

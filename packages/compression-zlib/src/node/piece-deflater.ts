import type NodeZlib from 'node:zlib'
import { headerBytesOf } from '../zlib-header.js'

/** A piece deflated up to a whole byte, and what its stream has to know of its raw bytes. */
export interface Deflated {
  readonly deflated: readonly Uint8Array[]
  /** The Adler-32 of the raw bytes. */
  readonly adler: number
}

/** Fits what a piece of 512 KiB of mixed data becomes, so that most pieces come in one part. */
const outputPieceBytes = 256 * 1024

/** The most that zlib may take for what it looks up: 128 KiB a thread more than by default, for a 14th less work. */
const memLevel = 9

/** Deflates single pieces of a stream. */
export interface PieceDeflater {
  /** Deflates `raw`, which follows `before`, up to a whole byte. */
  piece(raw: Uint8Array, before: Uint8Array): Promise<Deflated>
  /** The same for zeros, from memory where that length was met before. */
  zeros(lengthBytes: number): Promise<Deflated>
}

/** What zeros of a length become at a level, by `level:length`. A full piece is some 520 bytes; other lengths are rare. */
const rememberedZeros = new Map<string, Promise<Deflated>>()
const mostRemembered = 64

/** @param level - above 0 */
export function pieceDeflater(nodeZlib: typeof NodeZlib, level: number): PieceDeflater {
  const piece = (raw: Uint8Array, before: Uint8Array): Promise<Deflated> =>
    deflatePiece(nodeZlib, level, raw, before)

  const zeros = (lengthBytes: number): Promise<Deflated> => {
    const key = `${level}:${lengthBytes}`
    const remembered = rememberedZeros.get(key)
    if (remembered !== undefined) return remembered
    if (rememberedZeros.size >= mostRemembered) rememberedZeros.clear()
    // A copy: what zlib gave lies in memory of a piece's size.
    const deflated = piece(new Uint8Array(lengthBytes), new Uint8Array(0)).then((made) => ({
      ...made,
      deflated: made.deflated.map((part) => new Uint8Array(part)),
    }))
    rememberedZeros.set(key, deflated)
    deflated.catch(() => rememberedZeros.delete(key))
    return deflated
  }

  return { piece, zeros }
}

/**
 * Deflates into a zlib stream of the piece's own, whose header and end are cut off: zlib sums what it deflates, on the
 * same thread, and says the sum behind the last block (RFC 1950, section 2.2). What it gave until the flush was done is
 * the piece, what comes after it the end.
 */
function deflatePiece(
  nodeZlib: typeof NodeZlib,
  level: number,
  raw: Uint8Array,
  before: Uint8Array,
): Promise<Deflated> {
  return new Promise((resolve, reject) => {
    const options: NodeZlib.ZlibOptions = {
      level,
      memLevel,
      chunkSize: outputPieceBytes,
      flush: nodeZlib.constants.Z_SYNC_FLUSH,
    }
    if (before.length > 0) options.dictionary = before
    const deflate = nodeZlib.createDeflate(options)
    const deflated: Uint8Array[] = []
    const end: Uint8Array[] = []
    let into = deflated
    deflate.on('data', (part: Uint8Array) => {
      into.push(part)
    })
    deflate.once('error', reject)
    deflate.once('end', () => {
      resolve({ deflated: withoutHeader(deflated), adler: adlerAtEnd(Buffer.concat(end)) })
    })
    deflate.write(raw, (error) => {
      // The stream itself tells of it.
      if (error) return
      // What has not reached the listener yet does so now.
      while (deflate.readableLength > 0) deflate.read()
      into = end
      deflate.end()
    })
  })
}

function withoutHeader([first = new Uint8Array(0), ...others]: readonly Uint8Array[]): Uint8Array[] {
  return [first.subarray(headerBytesOf(first)), ...others]
}

const adlerAtEnd = (end: Buffer): number => end.readUInt32BE(end.length - 4)

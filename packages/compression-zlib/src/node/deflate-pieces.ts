import type { CompressOptions } from '@stowage/backup-core'
import type NodeZlib from 'node:zlib'
import { cut, isZeros, looksLikeNoise, mapPieces } from '@stowage/compression-workers'
import { adler32 } from '../adler32.js'
import { pieceDeflater } from './piece-deflater.js'
import { frameBytes, PieceWriter } from './piece-writer.js'

/**
 * How much is deflated apart: small enough to keep every core busy and the main thread's share of a piece (the checksum
 * of noise, 0.4 ms) short, large enough that a piece's own Huffman codes cost nothing to speak of.
 */
const pieceBytes = 512 * 1024

/** What deflate can refer back to. */
const windowBytes = 32 * 1024

/** What deflate adds at most to a piece that it cannot shrink: a few bytes a block, and the flush. */
const mostAddedBytes = 512

/** A piece, and what comes right before it, as far as deflate looks back. */
interface Piece {
  readonly raw: Uint8Array
  readonly before: Uint8Array
}

/**
 * Compresses into one zlib stream whose pieces are deflated apart, on as many threads as there are cores. Each piece
 * knows the 32 KiB before it and ends at a whole byte (`Z_SYNC_FLUSH`), so that they join. Zeros are taken from
 * memory; noise is stored.
 *
 * @returns null where the stream must shrink and does not
 */
export async function deflatePieces(
  nodeZlib: typeof NodeZlib,
  parts: readonly Uint8Array[],
  level: number,
  { signal, buffer, mustShrink = false, onProgress }: CompressOptions,
): Promise<Uint8Array | null> {
  const deflate = pieceDeflater(nodeZlib, level)
  const lengthBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const writer = new PieceWriter(memoryFor(parts, lengthBytes, buffer, mustShrink), level)
  let doneBytes = 0
  await mapPieces(cutParts(parts), signal, async ({ raw, before }, index) => {
    // A stream that has outgrown its memory is thrown away, and so need not go on.
    if (writer.full) return
    const rawBytes = raw.length
    if (level > 0 && isZeros(raw)) writer.put(index, { rawBytes, ...(await deflate.zeros(rawBytes)) })
    else if (level === 0 || looksLikeNoise(raw)) {
      writer.put(index, { rawBytes, stored: raw, adler: adler32(raw) })
    } else writer.put(index, { rawBytes, ...(await deflate.piece(raw, before)) })
    doneBytes += rawBytes
    onProgress?.(doneBytes, lengthBytes)
  })
  return writer.end()
}

/** No piece lies in two parts: it would have to be copied. */
function* cutParts(parts: readonly Uint8Array[]): Generator<Piece> {
  let before: Uint8Array = new Uint8Array(0)
  for (const part of parts) {
    for (const raw of cut(part, pieceBytes)) {
      yield { raw, before }
      before = raw.subarray(-windowBytes)
    }
  }
}

/** The caller's memory where it is enough, else fresh: of the input's length where the stream must be shorter. */
function memoryFor(
  parts: readonly Uint8Array[],
  lengthBytes: number,
  buffer: Uint8Array | undefined,
  mustShrink: boolean,
): Uint8Array {
  const pieces = parts.reduce((sum, { length }) => sum + Math.ceil(length / pieceBytes), 0)
  const mostBytes = mustShrink ? lengthBytes : lengthBytes + pieces * mostAddedBytes + frameBytes
  return buffer !== undefined && buffer.length >= mostBytes
    ? buffer.subarray(0, mostBytes)
    : Buffer.allocUnsafeSlow(mostBytes)
}

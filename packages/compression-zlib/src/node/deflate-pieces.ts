import type { CompressOptions } from '@stowage/backup-core'
import type NodeZlib from 'node:zlib'
import { isZeros, looksLikeNoise, mapPieces } from '@stowage/compression-workers'
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

/**
 * Compresses into one zlib stream whose pieces are deflated apart, on as many threads as there are cores. Each piece
 * knows the 32 KiB before it and ends at a whole byte (`Z_SYNC_FLUSH`), so that they join. Zeros are taken from
 * memory; noise is stored.
 */
export async function deflatePieces(
  nodeZlib: typeof NodeZlib,
  bytes: Uint8Array,
  level: number,
  { signal, buffer, mustShrink = false }: CompressOptions,
): Promise<Uint8Array> {
  const deflate = pieceDeflater(nodeZlib, level)
  const writer = new PieceWriter(memoryFor(bytes.length, buffer, mustShrink), level)
  const work = async (raw: Uint8Array, offset: number): Promise<void> => {
    // A stream that has outgrown its memory is thrown away, and so need not go on.
    if (writer.full) return
    const rawBytes = raw.length
    const index = offset / pieceBytes
    if (level > 0 && isZeros(raw)) writer.put(index, { rawBytes, ...(await deflate.zeros(rawBytes)) })
    else if (level === 0 || looksLikeNoise(raw)) {
      writer.put(index, { rawBytes, stored: raw, adler: adler32(raw) })
    } else {
      const before = bytes.subarray(Math.max(0, offset - windowBytes), offset)
      writer.put(index, { rawBytes, ...(await deflate.piece(raw, before)) })
    }
  }
  await mapPieces(bytes, pieceBytes, signal, work)
  return writer.end() ?? bytes
}

/** The caller's memory where it is enough, else fresh: of the input's length where the stream must be shorter. */
function memoryFor(lengthBytes: number, buffer: Uint8Array | undefined, mustShrink: boolean): Uint8Array {
  const pieces = Math.ceil(lengthBytes / pieceBytes)
  const mostBytes = mustShrink ? lengthBytes : lengthBytes + pieces * mostAddedBytes + frameBytes
  return buffer !== undefined && buffer.length >= mostBytes
    ? buffer.subarray(0, mostBytes)
    : Buffer.allocUnsafeSlow(mostBytes)
}

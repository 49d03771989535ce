import type NodeZlib from 'node:zlib'
import { isZeros, looksLikeNoise, mapPieces } from '@stowage/compression-workers'
import { adler32, adlerOfNothing, adlerOfZeros, joinAdler32 } from '../adler32.js'
import { joinPieces } from './join-pieces.js'
import type { DeflatedPiece } from './join-pieces.js'
import { pieceDeflater } from './piece-deflater.js'

/**
 * How much is deflated apart: small enough to keep every core busy and the main thread's share of a piece (its
 * checksum, 0.15 ms) short, large enough that a piece's own Huffman codes cost nothing to speak of.
 */
const pieceBytes = 256 * 1024

/** What deflate can refer back to. */
const windowBytes = 32 * 1024

/**
 * Compresses into one zlib stream whose pieces are deflated apart, on as many threads as there are cores. Each piece
 * knows the 32 KiB before it and ends at a whole byte (`Z_SYNC_FLUSH`), so that they join. Zeros are taken from
 * memory; noise is stored.
 */
export async function deflatePieces(
  nodeZlib: typeof NodeZlib,
  bytes: Uint8Array,
  level: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const deflate = pieceDeflater(nodeZlib, level)
  let adler = adlerOfNothing
  const pieces = await mapPieces<DeflatedPiece>(bytes, pieceBytes, signal, async (raw, offset) => {
    // The checksum is summed before the first await: pieces begin in order.
    if (isZeros(raw)) {
      adler = joinAdler32(adler, adlerOfZeros(raw.length), raw.length)
      return { deflated: await deflate.zeros(raw.length) }
    }
    adler = adler32(raw, adler)
    if (level > 0 && looksLikeNoise(raw)) return { stored: raw }
    return { deflated: await deflate.piece(raw, bytes.subarray(Math.max(0, offset - windowBytes), offset)) }
  })
  return joinPieces(pieces, level, adler)
}

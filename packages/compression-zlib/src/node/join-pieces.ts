import { joinInTurns } from '@stowage/compression-workers'
import { storedBlocks } from '../stored-blocks.js'
import { zlibHeader } from '../zlib-header.js'

/** A part of a stream: deflated up to a whole byte, or raw and still to be wrapped into stored blocks. */
export type DeflatedPiece = { readonly deflated: Uint8Array } | { readonly stored: Uint8Array }

/** An empty block with fixed codes, marked as the last. */
const lastBlock = Uint8Array.of(0x03, 0x00)

/** Joins the pieces into one zlib stream. */
export async function joinPieces(
  pieces: readonly DeflatedPiece[],
  level: number,
  adler: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [zlibHeader(level)]
  for (const piece of pieces) {
    if ('deflated' in piece) parts.push(piece.deflated)
    else parts.push(...storedBlocks(piece.stored))
  }
  const end = Buffer.alloc(lastBlock.length + 4)
  end.set(lastBlock)
  end.writeUInt32BE(adler, lastBlock.length)
  return joinInTurns([...parts, end])
}

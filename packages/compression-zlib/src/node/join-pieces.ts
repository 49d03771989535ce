import { storedLengthBytes, writeStoredBlocks } from '../stored-blocks.js'
import { zlibHeader } from '../zlib-header.js'
import { nextTurn } from '../turns.js'

/** A part of a stream: deflated up to a whole byte, or raw and still to be wrapped into stored blocks. */
export type DeflatedPiece = { readonly deflated: Uint8Array } | { readonly stored: Uint8Array }

/** An empty block with fixed codes, marked as the last. */
const lastBlock = Uint8Array.of(0x03, 0x00)

const adlerLengthBytes = 4

/** How much is copied before the event loop gets a turn: fresh memory takes about 1 ms for this. */
const bytesATurn = 512 * 1024

/** Joins the pieces into one zlib stream. */
export async function joinPieces(
  pieces: readonly DeflatedPiece[],
  level: number,
  adler: number,
): Promise<Uint8Array> {
  const header = zlibHeader(level)
  let lengthBytes = header.length + lastBlock.length + adlerLengthBytes
  for (const piece of pieces) {
    lengthBytes += 'deflated' in piece ? piece.deflated.length : storedLengthBytes(piece.stored.length)
  }
  const output = Buffer.allocUnsafeSlow(lengthBytes)
  output.set(header)
  let end = header.length
  let turnEnd = bytesATurn
  for (const piece of pieces) {
    if ('deflated' in piece) {
      output.set(piece.deflated, end)
      end += piece.deflated.length
    } else {
      end = writeStoredBlocks(output, end, piece.stored)
    }
    if (end < turnEnd) continue
    await nextTurn()
    turnEnd = end + bytesATurn
  }
  output.set(lastBlock, end)
  output.writeUInt32BE(adler, end + lastBlock.length)
  return output
}

import type NodeZlib from 'node:zlib'
import { throwIfAborted } from '@stowage/backup-core'
import { adler32, adlerOfNothing, adlerOfZeros, joinAdler32 } from '../adler32.js'
import { looksLikeNoise } from '../noise.js'
import { joinPieces } from './join-pieces.js'
import type { DeflatedPiece } from './join-pieces.js'
import { pieceDeflater } from './piece-deflater.js'
import { threadSlots } from './thread-slots.js'
import { nextTurn } from '../turns.js'

/**
 * How much is deflated apart: small enough to keep every core busy and the main thread's share of a piece (its
 * checksum, 0.15 ms) short, large enough that a piece's own Huffman codes cost nothing to speak of.
 */
const pieceBytes = 256 * 1024

/** What deflate can refer back to. */
const windowBytes = 32 * 1024

const zeros = Buffer.alloc(pieceBytes)

/** Zero pieces are so cheap that this many of them fit into one turn of the event loop. */
const zeroPiecesATurn = 32

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
  const deflatePiece = pieceDeflater(nodeZlib, level)
  const pieces: DeflatedPiece[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  let adler = adlerOfNothing
  let zeroPieces = 0

  try {
    for (let offset = 0; offset < bytes.length && failures.length === 0; offset += pieceBytes) {
      throwIfAborted(signal, 'Compressing')
      const raw = bytes.subarray(offset, offset + pieceBytes)
      if (zeros.compare(raw, 0, raw.length, 0, raw.length) === 0) {
        adler = joinAdler32(adler, adlerOfZeros(raw.length), raw.length)
        pieces.push({ deflated: await deflatePiece.zeros(raw.length) })
        if (++zeroPieces % zeroPiecesATurn === 0) await nextTurn()
        continue
      }
      adler = adler32(raw, adler)
      if (level > 0 && looksLikeNoise(raw)) {
        pieces.push({ stored: raw })
        await nextTurn()
        continue
      }
      const free = await threadSlots.take()
      const index = pieces.push({ stored: raw }) - 1
      const work = deflatePiece(raw, bytes.subarray(Math.max(0, offset - windowBytes), offset))
        .then((deflated) => {
          pieces[index] = { deflated }
        })
        .catch((error: unknown) => {
          failures.push(error)
        })
        .finally(() => {
          free()
          running.delete(work)
        })
      running.add(work)
    }
  } finally {
    // Threads still read `bytes`, which is the caller's again when this call ends.
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
  throwIfAborted(signal, 'Compressing')
  return joinPieces(pieces, level, adler)
}

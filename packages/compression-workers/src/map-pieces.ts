import { throwIfAborted } from '@stowage/backup-core'
import { coreSlots } from './slots.js'
import { Turns } from './turns.js'

/** What is done with one piece: called in order, and under way for several at once. */
export type PieceWork<Piece, T> = (piece: Piece, index: number) => Promise<T> | T

/** Cuts `bytes` into pieces; the last may be shorter. */
export function* cut(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    yield bytes.subarray(offset, offset + pieceBytes)
  }
}

/**
 * Works on as many pieces at once as there are cores; gives the results in order.
 *
 * After a failure or an abort no further piece is begun, and the ones under way are waited for: the bytes are the
 * caller's again when this ends.
 */
export async function mapPieces<Piece, T>(
  pieces: Iterable<Piece>,
  signal: AbortSignal | undefined,
  work: PieceWork<Piece, T>,
): Promise<T[]> {
  const results: T[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const turns = new Turns()
  const one = async (piece: Piece, index: number): Promise<void> => {
    try {
      results[index] = await work(piece, index)
    } catch (error) {
      failures.push(error)
    }
  }

  try {
    let index = 0
    for (const piece of pieces) {
      const free = await coreSlots.take()
      if (failures.length > 0 || signal?.aborted === true) {
        free()
        break
      }
      const task = one(piece, index++).finally(() => {
        free()
        running.delete(task)
      })
      running.add(task)
      await turns.give()
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
  throwIfAborted(signal, 'Compressing')
  return results
}

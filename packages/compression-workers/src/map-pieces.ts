import { throwIfAborted } from '@stowage/backup-core'
import { coreSlots } from './slots.js'
import { Turns } from './turns.js'

/** What is done with one piece: called in order, and under way for several at once. */
export type PieceWork<T> = (piece: Uint8Array, offset: number) => Promise<T> | T

/**
 * Cuts `bytes` into pieces and works on as many at once as there are cores; gives the results in order.
 *
 * After a failure or an abort no further piece is begun, and the ones under way are waited for: the bytes are the
 * caller's again when this ends.
 */
export async function mapPieces<T>(
  bytes: Uint8Array,
  pieceBytes: number,
  signal: AbortSignal | undefined,
  work: PieceWork<T>,
): Promise<T[]> {
  const results: T[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const turns = new Turns()
  const one = async (index: number, offset: number): Promise<void> => {
    try {
      results[index] = await work(bytes.subarray(offset, offset + pieceBytes), offset)
    } catch (error) {
      failures.push(error)
    }
  }

  try {
    for (let offset = 0, index = 0; offset < bytes.length; offset += pieceBytes, index++) {
      const free = await coreSlots.take()
      if (failures.length > 0 || signal?.aborted === true) {
        free()
        break
      }
      const task = one(index, offset).finally(() => {
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

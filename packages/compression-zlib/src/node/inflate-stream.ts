import { abortedError, throwIfAborted } from '@stowage/backup-core'
import { keepFreedMemory, PieceReader } from '@stowage/compression-workers'
import type NodeZlib from 'node:zlib'
import { tooLong, tooShort, trailing } from '../corrupt.js'
import { asCorrupt } from './inflate-into.js'

/** What comes out at a time. */
const outputBytes = 256 * 1024

/** Opens a zlib stream piece by piece, and holds it to its expected length. */
export async function* inflateStream(
  nodeZlib: typeof NodeZlib,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  keepFreedMemory(expectedLengthBytes)
  const inflate = nodeZlib.createInflate({ chunkSize: outputBytes })
  const onAbort = (): void => {
    if (signal !== undefined) inflate.destroy(abortedError(signal, 'Decompressing'))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const reader = new PieceReader(pieces, 'Decompressing', signal)
  let fedBytes = 0
  const feed = async (): Promise<void> => {
    try {
      for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
        fedBytes += piece.length
        // A piece is only good until the next is asked for, and zlib reads it on another thread until it calls back.
        await new Promise<void>((resolve, reject) => {
          inflate.once('close', resolve)
          inflate.write(piece, (error) => {
            inflate.off('close', resolve)
            if (error) reject(error)
            else resolve()
          })
        })
        if (inflate.destroyed) return
      }
      inflate.end()
    } catch (error) {
      inflate.destroy(error as Error)
    }
  }
  const feeding = feed()
  let givenBytes = 0
  try {
    for await (const piece of inflate as AsyncIterable<Uint8Array>) {
      givenBytes += piece.length
      if (givenBytes > expectedLengthBytes) throw tooLong(expectedLengthBytes)
      yield piece
    }
    await feeding
    if (inflate.bytesWritten < fedBytes) throw trailing(fedBytes - inflate.bytesWritten)
    if (givenBytes < expectedLengthBytes) throw tooShort(givenBytes, expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    inflate.destroy()
    await feeding
    await reader.close()
  }
}

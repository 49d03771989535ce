import { abortedError } from '@stowage/backup-core'
import { keepFreedMemory, PieceReader, Turns } from '@stowage/compression-workers'
import { tooLong, tooShort } from '../corrupt.js'
import { FrameCutter } from '../frame-cutter.js'
import { asCorrupt } from './faults.js'
import { FrameDecoder } from './frame-decoder.js'
import type { NodeZstd } from './node-zstd.js'

/** How much is walked and opened between two looks at the clock. */
const stepBytes = 64 * 1024

/** Opens a row of frames piece by piece, and holds it to its expected length. */
export async function* decompressStream(
  nodeZstd: NodeZstd,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  keepFreedMemory(expectedLengthBytes)
  const reader = new PieceReader(pieces, 'Decompressing', signal)
  const decoder = new FrameDecoder(nodeZstd)
  const cutter = new FrameCutter(expectedLengthBytes)
  const turns = new Turns()
  const onAbort = (): void => {
    if (signal !== undefined) decoder.fail(abortedError(signal, 'Decompressing'))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  let givenBytes = 0
  try {
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
      for (let at = 0; at < piece.length; at += stepBytes) {
        for (const part of cutter.cut(piece.subarray(at, at + stepBytes))) {
          for await (const opened of decoder.open(part)) {
            givenBytes += opened.length
            if (givenBytes > expectedLengthBytes) throw tooLong(expectedLengthBytes)
            yield opened
          }
        }
        await turns.give()
      }
    }
    cutter.end()
    if (givenBytes < expectedLengthBytes) throw tooShort(givenBytes, expectedLengthBytes)
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await decoder.close()
    await reader.close()
  }
}

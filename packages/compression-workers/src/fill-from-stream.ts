import { abortedError } from '@stowage/backup-core'
import type { BackupError, CodecOptions } from '@stowage/backup-core'
import type { Transform } from 'node:stream'
import { keepFreedMemory } from './freed-memory.js'

/** How a format words its faults. */
export interface FillFaults {
  readonly tooLong: (expectedLengthBytes: number) => BackupError
  readonly tooShort: (actualLengthBytes: number, expectedLengthBytes: number) => BackupError
  readonly trailing: (lengthBytes: number) => BackupError
  /** Maps an error of the engine; gives back what it does not know. */
  readonly fromEngine: (error: NodeJS.ErrnoException) => Error
}

/** A decompressing stream of `node:zlib`, which counts the input it took. */
export type DecompressingStream = Transform & { readonly bytesWritten: number }

/**
 * Opens `bytes` through `stream` into `target`, which must be filled to the last byte and no further.
 *
 * Fresh memory costs more than decompressing: small pieces that the allocator recycles, copied into the target while
 * they are in cache, are three times as fast as one output of 50 MiB.
 */
export function fillFromStream(
  target: Uint8Array,
  stream: DecompressingStream,
  bytes: Uint8Array,
  { signal, onProgress }: CodecOptions,
  faults: FillFaults,
): Promise<void> {
  keepFreedMemory(target.length)
  return new Promise((resolve, reject) => {
    let offset = 0
    const onAbort = (): void => {
      if (signal !== undefined) stream.destroy(abortedError(signal, 'Decompressing'))
    }
    const settle = (outcome: () => void): void => {
      signal?.removeEventListener('abort', onAbort)
      outcome()
    }
    signal?.addEventListener('abort', onAbort, { once: true })

    stream.on('data', (piece: Uint8Array) => {
      if (stream.destroyed) return
      if (piece.length > target.length - offset) {
        stream.destroy(faults.tooLong(target.length))
        return
      }
      target.set(piece, offset)
      offset += piece.length
      onProgress?.(offset, target.length)
    })
    stream.once('error', (error: NodeJS.ErrnoException) => {
      settle(() => {
        reject(faults.fromEngine(error))
      })
    })
    stream.once('end', () => {
      settle(() => {
        // Node ignores what follows a stream; only the count of the bytes it took tells.
        if (stream.bytesWritten < bytes.length) reject(faults.trailing(bytes.length - stream.bytesWritten))
        else if (offset < target.length) reject(faults.tooShort(offset, target.length))
        else resolve()
        stream.destroy()
      })
    })
    stream.end(bytes)
  })
}

/** How much a stream should give at a time for a target of that length. */
export const outputPieceBytes = (targetLengthBytes: number): number =>
  Math.max(leastPieceBytes, Math.min(bestPieceBytes, targetLengthBytes + 1))

const bestPieceBytes = 256 * 1024

/** The least chunkSize that node:zlib takes. */
const leastPieceBytes = 64

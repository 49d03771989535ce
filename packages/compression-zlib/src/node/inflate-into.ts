import type NodeZlib from 'node:zlib'
import { abortedError } from '@stowage/backup-core'
import { cutShort, damaged, tooLong, tooShort, trailing } from '../corrupt.js'

/**
 * How much is opened at a time. Fresh memory costs more than inflating: pieces of this size are recycled by the
 * allocator and copied into the target while they are in cache, which is three times as fast as one output of 50 MiB.
 */
const outputPieceBytes = 256 * 1024

/** The least chunkSize that zlib takes. */
const leastPieceBytes = 64

/** Opens the zlib stream into `target`, which it must fill to the last byte and no further. */
export function inflateInto(
  nodeZlib: typeof NodeZlib,
  target: Uint8Array,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // An empty input ends without an error or a byte.
    if (bytes.length === 0) {
      reject(cutShort())
      return
    }
    const chunkSize = Math.max(leastPieceBytes, Math.min(outputPieceBytes, target.length + 1))
    const inflate = nodeZlib.createInflate({ chunkSize })
    let offset = 0
    const onAbort = (): void => {
      if (signal !== undefined) inflate.destroy(abortedError(signal, 'Decompressing'))
    }
    const settle = (outcome: () => void): void => {
      signal?.removeEventListener('abort', onAbort)
      outcome()
    }
    signal?.addEventListener('abort', onAbort, { once: true })

    inflate.on('data', (piece: Uint8Array) => {
      if (inflate.destroyed) return
      if (piece.length > target.length - offset) {
        inflate.destroy(tooLong(target.length))
        return
      }
      target.set(piece, offset)
      offset += piece.length
    })
    inflate.once('error', (error: NodeJS.ErrnoException) => {
      settle(() => {
        reject(asCorrupt(error))
      })
    })
    inflate.once('end', () => {
      settle(() => {
        // Node ignores what follows a zlib stream; only the count of the bytes it took tells.
        if (inflate.bytesWritten < bytes.length) reject(trailing(bytes.length - inflate.bytesWritten))
        else if (offset < target.length) reject(tooShort(offset, target.length))
        else resolve()
        inflate.destroy()
      })
    })
    inflate.end(bytes)
  })
}

/** Maps zlib's own errors; what this module threw, and what it does not know, goes on as it is. */
function asCorrupt(error: NodeJS.ErrnoException): Error {
  if (error.code === 'Z_BUF_ERROR') return cutShort(error)
  if (error.code === 'Z_DATA_ERROR' || error.code === 'Z_NEED_DICT') return damaged(error)
  return error
}

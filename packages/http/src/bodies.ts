import { createHash } from 'node:crypto'
import { BackupError, type ReplayableBody, type ByteProgressListener } from '@stowage/backup-core'
import { getDefaultHighWaterMark } from 'node:stream'

/**
 * The consumer of a response body. `push` receives each piece and applies no backpressure: Swift disconnects a client that
 * reads slowly.
 */
export interface BodySink<T> {
  readonly push: (piece: Uint8Array) => void
  readonly end: () => T
}

/** Discards the body. */
export function discard(): BodySink<undefined> {
  return { push: () => undefined, end: () => undefined }
}

/** Collects a small body. One longer than `maxBytes` is an error, or truncated with `truncate`. */
export function collect(
  maxBytes: number,
  truncate = false,
  tooLong = (): BackupError =>
    new BackupError('STORE_FAILED', `The response of the server exceeds the limit of ${maxBytes} bytes.`),
): BodySink<Buffer> {
  const pieces: Uint8Array[] = []
  let lengthBytes = 0
  return {
    push(piece) {
      const room = maxBytes - lengthBytes
      if (piece.byteLength > room && !truncate) throw tooLong()
      // The memory of a piece may be overwritten: see ResponseReceiver.onPiece.
      const kept = Buffer.from(piece.subarray(0, room))
      pieces.push(kept)
      lengthBytes += kept.byteLength
    },
    end: () => Buffer.concat(pieces, lengthBytes),
  }
}

/** A body in memory. */
export interface FilledBody {
  readonly bytes: Uint8Array
  /** Lower-case hex; null if it was not requested. */
  readonly md5: string | null
}

/** Fills a buffer from its start. Computes the MD5, if requested, while the bytes are in the CPU cache. */
export function fill(
  into: Uint8Array,
  { md5, onProgress }: { readonly md5: boolean; readonly onProgress?: ByteProgressListener | undefined },
): BodySink<FilledBody> {
  const hash = md5 ? createHash('md5') : null
  let filledBytes = 0
  return {
    push(piece) {
      if (filledBytes + piece.byteLength > into.byteLength) {
        throw new BackupError('OBJECT_CORRUPT', 'The response is longer than its Content-Length.')
      }
      into.set(piece, filledBytes)
      hash?.update(piece)
      filledBytes += piece.byteLength
      onProgress?.(filledBytes, into.byteLength)
    },
    end: () => ({ bytes: into.subarray(0, filledBytes), md5: hash?.digest('hex') ?? null }),
  }
}

/** Large enough for a low cost per piece, small enough to notice a stalled peer soon. */
const pieceBytes = 1024 * 1024

/**
 * For pieces of this size a socket applies backpressure, and so has sent a piece before it requests the next one. The
 * high-water mark of Node.js is 16 or 64 KiB, and an application may have set another.
 */
const safeWithoutCopyBytes = (): number => Math.max(64 * 1024, getDefaultHighWaterMark(false))

/**
 * Splits a body into pieces for the socket, without a copy where that is safe: views of the caller's memory. Pieces let the
 * time-out of undici measure a stall instead of the duration of a long upload.
 */
export async function* piecesOf(body: ReplayableBody): AsyncGenerator<Uint8Array> {
  const safeBytes = safeWithoutCopyBytes()
  for await (const piece of body.stream()) {
    for (let offset = 0; offset < piece.byteLength; offset += pieceBytes) {
      const slice = piece.subarray(offset, offset + pieceBytes)
      // The caller may reuse the memory of a piece when the next one is requested, and the socket queues small pieces.
      yield slice.byteLength < safeBytes ? Uint8Array.from(slice) : slice
    }
  }
}

/** Returns a body of bytes in memory. */
export function bodyOf(bytes: Uint8Array): ReplayableBody {
  return {
    lengthBytes: bytes.byteLength,
    async *stream() {
      if (bytes.byteLength > 0) yield await Promise.resolve(bytes)
    },
  }
}

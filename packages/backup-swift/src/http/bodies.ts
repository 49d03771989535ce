import { createHash } from 'node:crypto'
import { BackupError, type ReplayableBody, type StepListener } from '@stowage/backup-core'
import { getDefaultHighWaterMark } from 'node:stream'

/**
 * Where the body of an answer goes. `push` is handed each piece as it comes and never makes the socket wait: Swift
 * cuts off a client that reads slowly.
 */
export interface BodySink<T> {
  readonly push: (piece: Uint8Array) => void
  readonly end: () => T
}

/** Drops the body. */
export function discard(): BodySink<undefined> {
  return { push: () => undefined, end: () => undefined }
}

/** Collects a small body; a longer one than `maxBytes` is an error, or cut off where `cut` is said. */
export function collect(
  maxBytes: number,
  cut = false,
  tooLong = (): BackupError =>
    new BackupError('STORE_FAILED', `The server's answer is longer than ${maxBytes} bytes.`),
): BodySink<Buffer> {
  const pieces: Uint8Array[] = []
  let lengthBytes = 0
  return {
    push(piece) {
      const room = maxBytes - lengthBytes
      if (piece.byteLength > room && !cut) throw tooLong()
      // The parser reuses its memory for the next piece.
      const kept = Buffer.from(piece.subarray(0, room))
      pieces.push(kept)
      lengthBytes += kept.byteLength
    },
    end: () => Buffer.concat(pieces, lengthBytes),
  }
}

/** What came of a body that was read into memory. */
export interface FilledBody {
  readonly bytes: Uint8Array
  /** Lower-case hex; null where it was not asked for. */
  readonly md5: string | null
}

/** Fills `into` from its start; where its MD5 is wanted, sums it while the bytes are still in the processor's cache. */
export function fill(
  into: Uint8Array,
  { md5, onProgress }: { readonly md5: boolean; readonly onProgress?: StepListener | undefined },
): BodySink<FilledBody> {
  const hash = md5 ? createHash('md5') : null
  let filledBytes = 0
  return {
    push(piece) {
      if (filledBytes + piece.byteLength > into.byteLength) {
        throw new BackupError('OBJECT_CORRUPT', 'The server sent more bytes than it had announced.')
      }
      into.set(piece, filledBytes)
      hash?.update(piece)
      filledBytes += piece.byteLength
      onProgress?.(filledBytes, into.byteLength)
    },
    end: () => ({ bytes: into.subarray(0, filledBytes), md5: hash?.digest('hex') ?? null }),
  }
}

/** Large enough to cost little per piece, small enough that a stall of the peer shows soon. */
const pieceBytes = 1024 * 1024

/**
 * From here on a socket says "wait" for each piece, and so is done with it before the next one is asked for: Node's own
 * mark is 16 or 64 KiB, and an application may have set another.
 */
const safeWithoutCopyBytes = (): number => Math.max(64 * 1024, getDefaultHighWaterMark(false))

/**
 * A body in pieces for the socket, without a copy where that is safe: views of the caller's own memory. Sent in
 * pieces, and not at once, so that undici's time-out measures a stall and not the time that a long upload takes.
 */
export async function* piecesOf(body: ReplayableBody): AsyncGenerator<Uint8Array> {
  const safeBytes = safeWithoutCopyBytes()
  for await (const piece of body.stream()) {
    for (let offset = 0; offset < piece.byteLength; offset += pieceBytes) {
      const slice = piece.subarray(offset, offset + pieceBytes)
      // The caller may reuse its piece as soon as it is asked for the next one, and the socket queues small pieces.
      yield slice.byteLength < safeBytes ? Uint8Array.from(slice) : slice
    }
  }
}

/** Bytes in memory as a body. */
export function bodyOf(bytes: Uint8Array): ReplayableBody {
  return {
    lengthBytes: bytes.byteLength,
    async *stream() {
      if (bytes.byteLength > 0) yield await Promise.resolve(bytes)
    },
  }
}

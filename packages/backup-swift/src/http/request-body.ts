import { getDefaultHighWaterMark } from 'node:stream'
import type { ReplayableBody } from '@stowage/backup-core'

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

import type { Compressor } from '@stowage/backup-core'

/** Bytes in pieces of one buffer that is used again: a piece is only good until the next is asked for. */
export async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(pieceBytes)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const part = bytes.subarray(at, at + pieceBytes)
    piece.fill(0xee)
    piece.set(part)
    yield await Promise.resolve(piece.subarray(0, part.length))
  }
}

/** What a compressor's `decompressStream` makes of them. */
export async function openInPieces(
  compressor: Compressor,
  bytes: Uint8Array,
  expectedLengthBytes: number,
  pieceBytes = 1000,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of compressor.decompressStream!(cut(bytes, pieceBytes), expectedLengthBytes)) {
    parts.push(Uint8Array.from(part))
  }
  return Buffer.concat(parts)
}

/** One piece, and then neither another nor an end, whatever is aborted. */
export async function* stalledAfter(piece: Uint8Array): AsyncGenerator<Uint8Array> {
  yield piece
  await new Promise<never>(() => undefined)
}

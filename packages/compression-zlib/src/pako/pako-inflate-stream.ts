import { throwIfAborted } from '@stowage/backup-core'
import { nextTurn, PieceReader } from '@stowage/compression-workers'
import { Z_BUF_ERROR, Z_NO_FLUSH, Z_OK, Z_STREAM_END, zlibInflate, zlibInflateInit, ZStream } from 'pako'
import { cutShort, tooLong, tooShort, trailing } from '../corrupt.js'
import { requireEnd, turnBytes } from './pako-inflate.js'

/** Opens a zlib stream piece by piece, in short turns of the event loop, and holds it to its expected length. */
export async function* pakoInflateStream(
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces, 'Decompressing', signal)
  try {
    yield* inflateFrom(reader, expectedLengthBytes, signal)
  } finally {
    await reader.close()
  }
}

async function* inflateFrom(
  reader: PieceReader,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const stream = new ZStream()
  const output = new Uint8Array(turnBytes)
  let status: number = zlibInflateInit(stream)
  let givenBytes = 0
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
    if (status === Z_STREAM_END) throw trailing(piece.length)
    stream.input = piece
    stream.next_in = 0
    stream.avail_in = piece.length
    let pending = true
    while (status === Z_OK && pending) {
      stream.output = output
      stream.next_out = 0
      stream.avail_out = output.length
      status = zlibInflate(stream, Z_NO_FLUSH)
      const madeBytes: number = stream.next_out
      // It wants more input, or has nothing to give: no fault before the input has ended.
      if (status === Z_BUF_ERROR) status = Z_OK
      pending = stream.avail_in > 0 || madeBytes === output.length
      givenBytes += madeBytes
      if (givenBytes > expectedLengthBytes) throw tooLong(expectedLengthBytes)
      await nextTurn()
      throwIfAborted(signal, 'Decompressing')
      if (madeBytes > 0) yield output.subarray(0, madeBytes)
    }
    if (status !== Z_OK) requireEnd(status, stream)
    if (stream.avail_in > 0) throw trailing(stream.avail_in)
  }
  if (status === Z_OK) throw cutShort()
  if (givenBytes < expectedLengthBytes) throw tooShort(givenBytes, expectedLengthBytes)
}

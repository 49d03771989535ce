import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions } from '@stowage/backup-core'
import { nextTurn } from '@stowage/compression-workers'
import { Z_FINISH, Z_NO_FLUSH, Z_OK, Z_STREAM_END, zlibDeflate, zlibDeflateInit, ZStream } from 'pako'

/** What pako deflates in about a millisecond. */
const inputTurnBytes = 32 * 1024
const outputPieceBytes = 128 * 1024

/** Compresses with pako, a turn of the event loop at a time. */
export async function pakoDeflate(
  parts: readonly Uint8Array[],
  level: number,
  { signal, onProgress }: CodecOptions,
): Promise<Uint8Array> {
  const stream = new ZStream()
  requireStatus(zlibDeflateInit(stream, level), Z_OK)
  const [first = new Uint8Array(0), ...others] = parts.filter(({ length }) => length > 0)
  stream.input = first
  const rawBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const pieces: Uint8Array[] = []
  let lengthBytes = 0
  let status: number = Z_OK
  while (status === Z_OK) {
    if (stream.next_in === stream.input.length && others.length > 0) {
      stream.input = others.shift() ?? stream.input
      stream.next_in = 0
    }
    if (stream.avail_out === 0) stream.output = new Uint8Array(outputPieceBytes)
    stream.next_out = 0
    stream.avail_out = stream.output.length
    stream.avail_in = Math.min(inputTurnBytes, stream.input.length - stream.next_in)
    const isLast = others.length === 0 && stream.next_in + stream.avail_in === stream.input.length
    status = zlibDeflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
    if (stream.next_out > 0) pieces.push(stream.output.slice(0, stream.next_out))
    lengthBytes += stream.next_out
    onProgress?.(stream.total_in, rawBytes)
    await nextTurn()
    throwIfAborted(signal, 'Compressing')
  }
  requireStatus(status, Z_STREAM_END)
  return joined(pieces, lengthBytes)
}

function requireStatus(status: number, wanted: number): void {
  if (status === wanted) return
  throw new BackupError('COMPRESSION_FAILED', `pako gave the status ${status}. Use the engine node.`)
}

function joined(pieces: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const output = new Uint8Array(lengthBytes)
  let end = 0
  for (const piece of pieces) {
    output.set(piece, end)
    end += piece.length
  }
  return output
}

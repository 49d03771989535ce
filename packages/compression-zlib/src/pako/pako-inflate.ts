import { throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions } from '@stowage/backup-core'
import { nextTurn } from '@stowage/compression-workers'
import {
  Z_BUF_ERROR,
  Z_DATA_ERROR,
  Z_NEED_DICT,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  zlibInflate,
  zlibInflateInit,
  ZStream,
} from 'pako'
import { corrupt, cutShort, tooLong, tooShort, trailing } from '../corrupt.js'

/** What pako opens in about a millisecond. */
export const turnBytes = 64 * 1024

/**
 * Opens the zlib stream into `target` with pako's counterpart of zlib's own `inflate`, which writes where it is told
 * to and no further; its classes would collect the output, and read on into a second stream.
 */
export async function pakoInflateInto(
  target: Uint8Array,
  bytes: Uint8Array,
  { signal, onProgress }: CodecOptions,
): Promise<void> {
  const stream = new ZStream()
  const overflow = new Uint8Array(1)
  let status: number = zlibInflateInit(stream)
  stream.input = bytes
  let lengthBytes = 0
  while (status === Z_OK) {
    const isFull = lengthBytes === target.length
    const output = isFull ? overflow : target
    // pako's types leave out shared memory, which it writes like any other.
    stream.output = output as Uint8Array<ArrayBuffer>
    stream.next_out = isFull ? 0 : lengthBytes
    stream.avail_out = Math.min(turnBytes, output.length - stream.next_out)
    stream.avail_in = Math.min(turnBytes, bytes.length - stream.next_in)
    const before = stream.next_out
    status = zlibInflate(stream, Z_NO_FLUSH)
    if (isFull && stream.next_out > before) throw tooLong(target.length)
    lengthBytes += stream.next_out - before
    onProgress?.(lengthBytes, target.length)
    await nextTurn()
    throwIfAborted(signal, 'Decompressing')
  }
  requireEnd(status, stream)
  if (stream.next_in < bytes.length) throw trailing(bytes.length - stream.next_in)
  if (lengthBytes < target.length) throw tooShort(lengthBytes, target.length)
}

export function requireEnd(status: number, { msg }: ZStream): void {
  if (status === Z_STREAM_END) return
  if (status === Z_BUF_ERROR) throw cutShort()
  const isDamage = status === Z_DATA_ERROR || status === Z_NEED_DICT
  throw corrupt(`The zlib stream is damaged (${isDamage && msg !== '' ? msg : `pako status ${status}`})`)
}

import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { CompressOptions } from '@stowage/backup-core'
import { InOrderWriter, outputMemory, PieceReader, yieldToEventLoop } from '@stowage/compression-shared'
import {
  Z_BUF_ERROR,
  Z_DATA_ERROR,
  Z_FINISH,
  Z_NEED_DICT,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  zlibDeflate,
  zlibDeflateInit,
  zlibInflate,
  zlibInflateInit,
  ZStream,
} from 'pako'
import { errors } from './format.js'
import type { ZlibEngine } from './zlib.js'

/** What pako compresses in about a millisecond. */
const inputStepBytes = 32 * 1024

/** What pako decompresses in about a millisecond. */
const outputStepBytes = 64 * 1024

/** The engine in plain JavaScript, for runtimes without Node's zlib. It yields to the event loop after each step. */
export const pakoEngine: ZlibEngine = { compress, decompressStream }

async function compress(
  parts: readonly Uint8Array[],
  level: number,
  { signal, buffer, onProgress }: CompressOptions,
): Promise<Uint8Array | null> {
  const lengthBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const writer = new InOrderWriter(outputMemory(lengthBytes, buffer))
  const stream = new ZStream()
  requireStatus(zlibDeflateInit(stream, level), Z_OK)
  const [first = new Uint8Array(0), ...others] = parts.filter(({ length }) => length > 0)
  stream.input = first
  stream.output = new Uint8Array(outputStepBytes)
  let status: number = Z_OK
  while (status === Z_OK && !writer.full) {
    if (stream.next_in === stream.input.length && others.length > 0) {
      stream.input = others.shift() ?? stream.input
      stream.next_in = 0
    }
    stream.next_out = 0
    stream.avail_out = stream.output.length
    stream.avail_in = Math.min(inputStepBytes, stream.input.length - stream.next_in)
    const isLast = others.length === 0 && stream.next_in + stream.avail_in === stream.input.length
    status = zlibDeflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
    writer.append(stream.output.subarray(0, stream.next_out))
    onProgress?.(stream.total_in, lengthBytes)
    await yieldToEventLoop()
    throwIfAborted(signal, 'Compressing')
  }
  if (!writer.full) requireStatus(status, Z_STREAM_END)
  return writer.end()
}

function requireStatus(status: number, expected: number): void {
  if (status === expected) return
  throw new BackupError('COMPRESSION_FAILED', `pako failed with status ${status}. Use the engine node.`)
}

async function* decompressStream(
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces, signal)
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
  stream.output = new Uint8Array(outputStepBytes)
  let status: number = zlibInflateInit(stream)
  let outputBytes = 0
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
    if (status === Z_STREAM_END) throw errors.trailing(piece.length)
    stream.input = piece
    stream.next_in = 0
    stream.avail_in = piece.length
    let pending = true
    while (status === Z_OK && pending) {
      stream.next_out = 0
      stream.avail_out = stream.output.length
      status = zlibInflate(stream, Z_NO_FLUSH)
      const stepBytes: number = stream.next_out
      // It needs more input, or has no output: not an error before the input has ended.
      if (status === Z_BUF_ERROR) status = Z_OK
      pending = stream.avail_in > 0 || stepBytes === stream.output.length
      outputBytes += stepBytes
      if (outputBytes > expectedLengthBytes) throw errors.tooLong(expectedLengthBytes)
      await yieldToEventLoop()
      throwIfAborted(signal, 'Decompressing')
      if (stepBytes > 0) yield stream.output.subarray(0, stepBytes)
    }
    if (status !== Z_OK) requireEnd(status, stream)
    if (stream.avail_in > 0) throw errors.trailing(stream.avail_in)
  }
  if (status === Z_OK) throw errors.cutShort()
  if (outputBytes < expectedLengthBytes) throw errors.tooShort(outputBytes, expectedLengthBytes)
}

function requireEnd(status: number, { msg }: ZStream): void {
  if (status === Z_STREAM_END) return
  const isDamage = status === Z_DATA_ERROR || status === Z_NEED_DICT
  throw errors.damaged(isDamage && msg !== '' ? msg : `pako status ${status}`)
}

import { abortedError, BackupError } from '@stowage/backup-core'
import type { CodecOptions } from '@stowage/backup-core'
import { collect, cut, EventLoopYielder, PieceReader } from '@stowage/compression-shared'
import { errors, FrameSplitter, readFrameHeader } from './frames.js'
import type { NodeZstd, ZstdStream } from './node-zstd.js'
import type { ZstdEngine } from './zstd.js'

/** The output's pieces: small enough to be copied in a tenth of a millisecond, large enough to be few. */
const outputPieceBytes = 256 * 1024

/** The splitter has limited the windows, also by the content size; Node's own limit knows the window only. */
const maxWindowLog = 31

/** How much input is split and decompressed between two checks of the clock. */
const stepBytes = 64 * 1024

/** The engine on Node's own zstd, which runs on libuv's thread pool. */
export const nodeEngine = (nodeZstd: NodeZstd): ZstdEngine => ({
  compress: (bytes, output, level, options) => compress(nodeZstd, bytes, output, level, options),
  decompress: (_bytes, parts, expectedLengthBytes, options) =>
    collect(decodeParts(nodeZstd, parts, expectedLengthBytes, options.signal), expectedLengthBytes, options),
})

async function compress(
  { createZstdCompress, constants }: NodeZstd,
  bytes: Uint8Array,
  output: Uint8Array,
  level: number,
  { signal, onProgress }: CodecOptions,
): Promise<Uint8Array | null> {
  const stream = createZstdCompress({
    chunkSize: outputPieceBytes,
    // Without it the frame would not declare its content size, which is only known at the input's end.
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  const close = destroyOnAbort(stream, signal, 'Compressing')
  let lengthBytes = 0
  try {
    stream.end(bytes)
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      if (lengthBytes + piece.length > output.length) return null
      output.set(piece, lengthBytes)
      lengthBytes += piece.length
      onProgress?.(stream.bytesWritten, bytes.length)
    }
  } finally {
    await close()
  }
  const frame = output.subarray(0, lengthBytes)
  requireContentSize(frame, bytes.length)
  return frame
}

/** Cinder cannot restore a frame that does not declare its content size. */
function requireContentSize(frame: Uint8Array, lengthBytes: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (readFrameHeader(view)?.contentBytes === lengthBytes) return
  throw new BackupError(
    'COMPRESSION_FAILED',
    `The zstd of Node.js ${process.version} does not write the content size, and Cinder could not read the chunk. Use the engine wasm, or Node.js 22.15 or later.`,
  )
}

/** Decompresses a sequence of frames piece by piece. */
export async function* decompressStream(
  nodeZstd: NodeZstd,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces, signal)
  const splitter = new FrameSplitter(expectedLengthBytes)
  const yielder = new EventLoopYielder()
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
      for (const step of cut(piece, stepBytes)) {
        yield* splitter.split(step)
        await yielder.yieldIfDue()
      }
    }
    splitter.end()
  }
  try {
    yield* decodeParts(nodeZstd, parts(), expectedLengthBytes, signal)
  } finally {
    await reader.close()
  }
}

/** Decodes the parts of frames. The decoder starts a new frame after each, provided that no part spans two frames. */
async function* decodeParts(
  { createZstdDecompress, constants }: NodeZstd,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const stream = createZstdDecompress({
    chunkSize: outputPieceBytes,
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
  })
  const close = destroyOnAbort(stream, signal, 'Decompressing')
  const decode = decoderOf(stream)
  let outputBytes = 0
  try {
    for await (const part of parts) {
      for await (const piece of decode(part)) {
        outputBytes += piece.length
        if (outputBytes > expectedLengthBytes) throw errors.tooLong(expectedLengthBytes)
        yield piece
      }
    }
    if (outputBytes < expectedLengthBytes) throw errors.tooShort(outputBytes, expectedLengthBytes)
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    await close()
  }
}

/** What is decompressed of each part, whose memory zstd reads until the last of that has been yielded. */
function decoderOf(stream: ZstdStream): (part: Uint8Array) => AsyncGenerator<Uint8Array> {
  let wake = (): void => undefined
  for (const event of ['readable', 'error', 'close']) {
    stream.on(event, () => {
      wake()
    })
  }
  return async function* (part) {
    const state: { isRead: boolean } = { isRead: false }
    stream.write(part, () => {
      state.isRead = true
      wake()
    })
    for (;;) {
      const { isRead } = state
      const output = stream.read() as Uint8Array | null
      if (stream.errored !== null) throw stream.errored
      if (output !== null) yield output
      else if (isRead) return
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
}

/** Returns a function that frees zstd's own memory, several MB, immediately and not at a later garbage collection. */
function destroyOnAbort(
  stream: ZstdStream,
  signal: AbortSignal | undefined,
  operation: string,
): () => Promise<void> {
  const closed = new Promise<void>((resolve) => stream.once('close', resolve))
  const onAbort = (): void => {
    if (signal !== undefined) stream.destroy(abortedError(signal, operation))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  return () => {
    signal?.removeEventListener('abort', onAbort)
    stream.destroy()
    return closed
  }
}

/** Maps the errors of Node's zstd that show damage; others stay as they are. */
function asCorrupt(error: NodeJS.ErrnoException): Error {
  const code = String(error.code)
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong') return errors.cutShort(error)
  const isEngineFailure = code === 'ZSTD_error_memory_allocation' || code === 'ZSTD_error_GENERIC'
  return code.startsWith('ZSTD_error_') && !isEngineFailure ? errors.damaged(error.message, error) : error
}

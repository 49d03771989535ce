import { abortedError, BackupError } from '@stowage/backup-core'
import type { CompressJob } from '../engine.js'
import { readFrameHeader } from '../frame-header.js'
import type { NodeZstd } from './node-zstd.js'

/** What comes out at a time: small enough to be copied in a tenth of a millisecond, large enough to be few. */
const pieceBytes = 256 * 1024

/** Compresses into one frame with its checksum; gives undefined, and stops, when it outgrows `mostBytes`. */
export async function compressFrame(
  { createZstdCompress, constants }: NodeZstd,
  bytes: Uint8Array,
  { level, mostBytes, buffer, signal, onProgress }: CompressJob,
): Promise<Uint8Array | undefined> {
  const target = buffer?.subarray(0, mostBytes) ?? new Uint8Array(mostBytes)
  const stream = createZstdCompress({
    chunkSize: pieceBytes,
    // Else the frame would not say how much it holds: the input's end comes after its last byte.
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  const onAbort = (): void => {
    if (signal !== undefined) stream.destroy(abortedError(signal, 'Compressing'))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  let lengthBytes = 0
  try {
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    stream.end(bytes)
    try {
      for await (const piece of stream as AsyncIterable<Uint8Array>) {
        if (lengthBytes + piece.length > target.length) return undefined
        target.set(piece, lengthBytes)
        lengthBytes += piece.length
        onProgress?.(stream.bytesWritten, bytes.length)
      }
    } finally {
      // zstd's own memory, several MB, is freed with the stream, and not at some later collection.
      stream.destroy()
      await closed
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  const frame = target.subarray(0, lengthBytes)
  requireContentSize(frame, bytes.length)
  return frame
}

/** A frame that does not say how much it holds would be lost to Cinder, which finds out at the restore. */
function requireContentSize(frame: Uint8Array, lengthBytes: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (readFrameHeader(view, 0)?.contentBytes === lengthBytes) return
  throw new BackupError(
    'COMPRESSION_FAILED',
    `The zstd of Node ${process.version} does not write how long a chunk is, and Cinder could not read it. Use the engine wasm, or Node 22.15 or later.`,
  )
}

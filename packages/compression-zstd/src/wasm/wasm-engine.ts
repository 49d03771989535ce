import { BackupError, throwIfAborted } from '@stowage/backup-core'
import { share } from '@stowage/compression-workers'
import { damaged } from '../corrupt.js'
import type { CompressJob, DecompressJob, ZstdEngine } from '../engine.js'
import { mostCompressedBytes } from '../most-compressed-bytes.js'
import { runJob } from './run-job.js'

/** From this level on a chunk takes seconds, and an abort ends the worker in its midst. */
const leastSlowLevel = 10

/** The engine in WebAssembly, which runs in a worker: a chunk each, on as many cores as there are chunks. */
export const wasmEngine: ZstdEngine = {
  async compress(bytes: Uint8Array, { level, mostBytes, buffer, signal }: CompressJob) {
    const input = await share(bytes)
    const isSlow = level >= leastSlowLevel
    // A worker that is ended may write to its memory once more: it gets none that is lent.
    const memory = isSlow ? undefined : sharedOnly(buffer)
    const job = { bytes: input, level, mostBytes, memory }
    const frame = await runJob('compress', job, 'Compressing', isSlow ? signal : undefined)
    throwIfAborted(signal, 'Compressing')
    if (frame === undefined && mostBytes >= mostCompressedBytes(bytes.length)) {
      throw new BackupError(
        'COMPRESSION_FAILED',
        `zstd failed on ${bytes.length} bytes at level ${level}. Try a lower level, or Node 22.15 or later.`,
      )
    }
    return frame && (memory?.subarray(0, frame.length) ?? frame)
  },

  async decompress(bytes: Uint8Array, { expectedLengthBytes, buffer, signal }: DecompressJob) {
    const input = await share(bytes)
    const memory = sharedOnly(buffer)
    const job = { bytes: input, mostBytes: expectedLengthBytes, memory }
    const opened = await runJob('decompress', job, 'Decompressing')
    throwIfAborted(signal, 'Decompressing')
    if (opened?.length !== expectedLengthBytes) {
      throw damaged(`it does not open to the ${expectedLengthBytes} bytes expected`)
    }
    return memory?.subarray(0, expectedLengthBytes) ?? opened
  },
}

const sharedOnly = (buffer: Uint8Array | undefined): Uint8Array | undefined =>
  buffer?.buffer instanceof SharedArrayBuffer ? buffer : undefined

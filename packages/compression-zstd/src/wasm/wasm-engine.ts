import { BackupError, throwIfAborted } from '@stowage/backup-core'
import { coreCount, share, Slots } from '@stowage/compression-workers'
import { damaged } from '../corrupt.js'
import type { CompressJob, DecompressJob, ZstdEngine } from '../engine.js'
import { mostCompressedBytes } from '../most-compressed-bytes.js'
import { runJob } from './run-job.js'

/** From this level on a chunk takes seconds, and an abort ends the worker in its midst. */
const leastSlowLevel = 10

/**
 * Each worker holds a chunk and its compressed form in memory that WebAssembly never gives back, and makes 300 MB/s and
 * more: every other core is enough, and leaves the rest to hashes and to the network.
 */
const workerSlots = new Slots(Math.max(1, Math.floor(coreCount / 2)))

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const free = await workerSlots.take()
  try {
    return await work()
  } finally {
    free()
  }
}

/** The engine in WebAssembly, which runs in workers, a chunk each. */
export const wasmEngine: ZstdEngine = {
  async compress(bytes: Uint8Array, { level, mostBytes, buffer, signal }: CompressJob) {
    const input = await share(bytes)
    const isSlow = level >= leastSlowLevel
    // A worker that is ended may write to its memory once more: it gets none that is lent.
    const memory = isSlow ? undefined : sharedOnly(buffer)
    const job = { bytes: input, level, mostBytes, memory }
    const frame = await inTurn(() => {
      throwIfAborted(signal, 'Compressing')
      return runJob('compress', job, 'Compressing', isSlow ? signal : undefined)
    })
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
    const opened = await inTurn(() => {
      throwIfAborted(signal, 'Decompressing')
      return runJob('decompress', job, 'Decompressing')
    })
    throwIfAborted(signal, 'Decompressing')
    if (opened?.length !== expectedLengthBytes) {
      throw damaged(`it does not open to the ${expectedLengthBytes} bytes expected`)
    }
    return memory?.subarray(0, expectedLengthBytes) ?? opened
  },
}

const sharedOnly = (buffer: Uint8Array | undefined): Uint8Array | undefined =>
  buffer?.buffer instanceof SharedArrayBuffer ? buffer : undefined

import { pathToFileURL } from 'node:url'
import { abortedError, BackupError, throwIfAborted } from '@stowage/backup-core'
import { compressionWorkers, copyInSteps, coreCount } from '@stowage/compression-shared'
import { limitFunction } from 'p-limit'
import { errors } from './frames.js'
import type { ZstdEngine } from './zstd.js'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** The build bundles the worker's files into one, beside the module. */
const workers = compressionWorkers(
  new URL(String(here).endsWith('.ts') ? '../worker/zstd-worker.mjs' : './worker.mjs', here),
)

/** From this level on a chunk takes seconds, and an abort ends the worker while it works. */
const minSlowLevel = 10

/**
 * Each worker holds a chunk and its compressed form in memory that WebAssembly never gives back, and makes 300 MB/s and
 * more: every other core is enough, and leaves the rest to hashes and to the network.
 */
const limitJobs = limitFunction((job: () => Promise<unknown>) => job(), {
  concurrency: Math.max(1, Math.floor(coreCount / 2)),
})

/** A job of the worker. */
interface ZstdJob {
  /** Shared memory. */
  readonly bytes: Uint8Array
  readonly maxBytes: number
  readonly level?: number
  /** Shared memory for the output; fresh memory without it. */
  readonly memory: Uint8Array | undefined
}

/** The engine in WebAssembly, which runs in workers, a chunk each. */
export const wasmEngine: ZstdEngine = {
  async compress(bytes, output, level, { signal }) {
    const isSlow = level >= minSlowLevel
    // A worker that is ended may write to its memory once more, so it must not be the caller's.
    const memory = isSlow ? undefined : sharedOnly(output)
    const job = { bytes: await shared(bytes), level, maxBytes: output.length, memory }
    const frame = await run('compress', job, 'Compressing', signal, isSlow)
    return frame === undefined ? null : (memory?.subarray(0, frame.length) ?? frame)
  },

  async decompress(bytes, _parts, expectedLengthBytes, { buffer, signal }) {
    const memory =
      buffer !== undefined && buffer.length >= expectedLengthBytes ? sharedOnly(buffer) : undefined
    const job = { bytes: await shared(bytes), maxBytes: expectedLengthBytes, memory }
    const output = await run('decompress', job, 'Decompressing', signal)
    if (output?.length !== expectedLengthBytes) {
      throw errors.damaged(`it does not decompress to the ${expectedLengthBytes} bytes expected`)
    }
    return memory?.subarray(0, expectedLengthBytes) ?? output
  },
}

/**
 * Runs a job of libzstd. Undefined where libzstd fails: it does not report why.
 *
 * @throws BackupError `COMPRESSION_FAILED` where WebAssembly has not enough memory
 */
async function run(
  job: 'compress' | 'decompress',
  data: ZstdJob,
  operation: string,
  signal: AbortSignal | undefined,
  endsWorker = false,
): Promise<Uint8Array | undefined> {
  try {
    const result = await limitJobs(async () => {
      throwIfAborted(signal, operation)
      return await workers.run(job, data, endsWorker ? { signal } : {})
    })
    throwIfAborted(signal, operation)
    if (result instanceof Uint8Array) return result
    if (result === 'failed') return undefined
  } catch (error) {
    throw signal?.aborted === true ? abortedError(signal, operation) : error
  }
  throw new BackupError(
    'COMPRESSION_FAILED',
    `${operation} ${Math.max(data.bytes.length, data.maxBytes)} bytes with zstd in WebAssembly failed: it has 2 GiB for a chunk and its compressed form. Use Node.js 22.15 or later, whose zstd has no such limit.`,
  )
}

/** The bytes in shared memory: as they are, or a copy. */
async function shared(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  await copyInSteps([bytes], copy)
  return copy
}

const sharedOnly = (buffer: Uint8Array): Uint8Array | undefined =>
  buffer.buffer instanceof SharedArrayBuffer ? buffer : undefined

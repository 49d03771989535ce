import { pathToFileURL } from 'node:url'
import { abortedError, BackupError } from '@stowage/backup-core'
import { runInWorker } from '@stowage/compression-workers'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** From `dist` the worker lies in the folder beside, and from this file's place in `src` one further up. */
const file = new URL(
  /\/src\/wasm\/[^/]*$/.test(new URL(here).pathname)
    ? '../../worker/zstd-worker.mjs'
    : '../worker/zstd-worker.mjs',
  here,
)

/** A job of the worker, as it is sent there. */
export interface ZstdJob {
  readonly bytes: Uint8Array
  readonly mostBytes: number
  readonly level?: number
  /** Where the output goes: shared memory. */
  readonly memory: Uint8Array | undefined
}

/**
 * Runs a job of libzstd, whose input must lie in shared memory. Undefined where libzstd fails: it does not say why.
 *
 * @throws BackupError `COMPRESSION_FAILED` where WebAssembly has no memory for it.
 */
export async function runJob(
  job: 'compress' | 'decompress',
  data: ZstdJob,
  doing: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const result = await runInWorker({ file, job, data, transfer: [], signal })
    if (result instanceof Uint8Array) return result
    if (result === 'failed') return undefined
    throw new BackupError(
      'COMPRESSION_FAILED',
      `zstd in WebAssembly has no memory for a chunk of ${Math.max(data.bytes.length, data.mostBytes)} bytes: it has 2 GiB for a chunk and its compressed form. Node 22.15 and later have a zstd without that limit.`,
    )
  } catch (error) {
    if (signal?.aborted === true) throw abortedError(signal, doing)
    throw error
  }
}

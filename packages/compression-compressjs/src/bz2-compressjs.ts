import { pathToFileURL } from 'node:url'
import type { Compressor } from '@stowage/backup-core'
import { bzip2Compressor, compressionWorkers } from '@stowage/compression-shared'
import type { Bzip2Engine } from '@stowage/compression-shared'

/** Options of {@link bz2Compressjs}. */
export interface Bz2CompressjsOptions {
  /**
   * The algorithm's name that the store records for new chunks. Both names stand for the same bzip2 stream.
   * @default 'bz2'
   */
  readonly algorithm?: 'bz2' | 'bzip2'
  /**
   * The length of a block, from 1 (100,000 bytes) to 9 (900,000 bytes, smallest result).
   * @default 9, Cinder's
   */
  readonly level?: number
}

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** For each of two streams at most: six tables of 258 lengths, and which of them 18,000 groups of symbols use. */
const maxTablesBytes = 24 * 1024

const compressjs: Bzip2Engine = {
  name: 'compressjs',
  // The build bundles the worker's files into one, beside the module.
  workers: compressionWorkers(
    new URL(String(here).endsWith('.ts') ? '../worker/compressjs-worker.mjs' : './worker.mjs', here),
  ),
  // A run of four becomes five symbols, and a symbol takes 9 bits in the worst of codes: 5/4 of 9/8.
  maxCompressedBytes: (lengthBytes) => Math.ceil(lengthBytes * (5 / 4) * (9 / 8)) + 2 * maxTablesBytes,
  // Its reader takes a stream that lacks its end for a whole one, expands every run at once, and is two to five times
  // slower than `openRuns`.
  opensBlocks: false,
}

/**
 * The compressor for what Cinder records as `bz2` and `bzip2`, in JavaScript only: for where WebAssembly is not
 * available or not wanted. It does what `bz2()` of `@stowage/compression-bz2` does, many times slower.
 *
 * It uses compressjs, which is under the GPL.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: bz2Compressjs() })
 * ```
 */
export function bz2Compressjs(options: Bz2CompressjsOptions = {}): Compressor {
  return bzip2Compressor(compressjs, options)
}

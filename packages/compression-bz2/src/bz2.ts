import { pathToFileURL } from 'node:url'
import type { Compressor } from '@stowage/backup-core'
import { bzip2Compressor, compressionWorkers } from '@stowage/compression-shared'
import type { Bzip2Engine } from '@stowage/compression-shared'

/** Options of {@link bz2}. */
export interface Bz2Options {
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

const libbzip2: Bzip2Engine = {
  name: 'libbzip2',
  // The build bundles the worker's files into one, beside the module.
  workers: compressionWorkers(
    new URL(String(here).endsWith('.ts') ? '../worker/bz2-worker.mjs' : './worker.mjs', here),
  ),
  // A hundredth more and 600 bytes: libbzip2's manual, 3.5.1.
  maxCompressedBytes: (lengthBytes) => Math.ceil(lengthBytes * 1.01) + 600,
  opensBlocks: true,
}

/**
 * The compressor for what Cinder records as `bz2` and `bzip2`: bzip2 streams, as Python's `bz2` and the program
 * `bzip2` read and write them, made by libbzip2 in WebAssembly.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: bz2() })
 * ```
 */
export function bz2(options: Bz2Options = {}): Compressor {
  return bzip2Compressor(libbzip2, options)
}

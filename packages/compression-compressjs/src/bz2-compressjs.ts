import type { Compressor } from '@stowage/backup-core'
import { bzip2Compressor } from '@stowage/compression-bzip2-streams'
import type { Bzip2Options } from '@stowage/compression-bzip2-streams'
import { compressjsEngine } from './compressjs-engine.js'

/** Options of {@link bz2Compressjs}: the word to record, and how long a block is. */
export type Bz2CompressjsOptions = Bzip2Options

/**
 * The compressor for what Cinder records as `bz2` and `bzip2`, in JavaScript alone: for where WebAssembly is not to be
 * had or wanted. It does what `bz2()` of `@stowage/compression-bz2` does, and is many times slower at it.
 *
 * compressjs, which it runs, is under the GPL.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: bz2Compressjs() })
 * ```
 */
export function bz2Compressjs(options: Bz2CompressjsOptions = {}): Compressor {
  return bzip2Compressor(compressjsEngine, options)
}

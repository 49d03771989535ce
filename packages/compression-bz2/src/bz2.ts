import type { Compressor } from '@stowage/backup-core'
import { bzip2Compressor } from '@stowage/compression-bzip2-streams'
import type { Bzip2Options } from '@stowage/compression-bzip2-streams'
import { libbzip2Engine } from './libbzip2-engine.js'

/** Options of {@link bz2}: the word to record, and how long a block is. */
export type Bz2Options = Bzip2Options

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
  return bzip2Compressor(libbzip2Engine, options)
}

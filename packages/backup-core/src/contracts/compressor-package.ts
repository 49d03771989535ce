import type { Compressor } from './compressor.js'

/**
 * What a package exports as `stowageCompressors`, so that the `stowage` command compresses and decompresses with it:
 * `--compression NAME`, and a restore of what was compressed with NAME, load `@stowage/compression-NAME` or
 * `stowage-compression-NAME`.
 *
 * Importing the package must not change anything in the process.
 */
export interface CompressorPackage {
  /** The names of its algorithms, as the store records them: `['zlib', 'gzip']`. One of them is NAME of the package's name. */
  readonly algorithms: readonly string[]
  /** Makes a compressor whose `name` is one of `algorithms`, with default options. */
  create(algorithm: string): Compressor
}

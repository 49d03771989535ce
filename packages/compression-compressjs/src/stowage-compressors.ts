import type { CompressorPackage } from '@stowage/backup-core'
import { bz2Compressjs } from './bz2-compressjs.js'

/** What the `stowage` command loads for `--compression bz2` and `bzip2` with `--bz2-engine compressjs`. */
export const stowageCompressors: CompressorPackage = {
  algorithms: ['bz2', 'bzip2'],
  create: (algorithm) => bz2Compressjs({ algorithm: algorithm === 'bzip2' ? 'bzip2' : 'bz2' }),
}

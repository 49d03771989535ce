import type { CompressorPackage } from '@stowage/backup-core'
import { bz2 } from './bz2.js'

/** What the `stowage` command loads for `--compression bz2` and `bzip2`. */
export const stowageCompressors: CompressorPackage = {
  algorithms: ['bz2', 'bzip2'],
  create: (algorithm) => bz2({ algorithm: algorithm === 'bzip2' ? 'bzip2' : 'bz2' }),
}

import type { CompressorPackage } from '@stowage/backup-core'
import { zlib } from './zlib.js'

/** What the `stowage` command loads for `--compression zlib` and `gzip`. */
export const stowageCompressors: CompressorPackage = {
  algorithms: ['zlib', 'gzip'],
  create: (algorithm) => zlib({ algorithm: algorithm === 'gzip' ? 'gzip' : 'zlib' }),
}

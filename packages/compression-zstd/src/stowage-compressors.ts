import type { CompressorPackage } from '@stowage/backup-core'
import { zstd } from './zstd.js'

/** What the `stowage` command loads for `--compression zstd`. */
export const stowageCompressors: CompressorPackage = {
  algorithms: ['zstd'],
  create: () => zstd(),
}

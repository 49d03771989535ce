import type { BackupRecord } from '../driver/types.js'
import type { BackupMetadata } from '../format/metadata.js'

/** One backup of a chain, with its manifest. */
export interface ChainLayer {
  readonly record: BackupRecord
  readonly metadata: BackupMetadata
}

/** A chain, newest first, down to a full backup. Never empty. */
export type Chain = readonly [ChainLayer, ...ChainLayer[]]

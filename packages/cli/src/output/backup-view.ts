import type { BackupRecord } from '@stowage/backup-core'
import { countOf, formatSize } from '../sizes.js'

/** A backup in `--json`. Scripts rely on these names. */
export interface BackupView {
  readonly id: string
  readonly volumeId: string
  readonly parentId: string | null
  readonly sizeBytes: number
  /** True where a parent is missing that determines the size: the volume has at least `sizeBytes`. */
  readonly sizeIsMinimum: boolean
  /** ISO 8601, in UTC. */
  readonly createdAt: string
  readonly container: string
  readonly prefix: string
  readonly name: string | null
  readonly description: string | null
  readonly objectCount: number
  /** As the store records them: `none`, `zlib` … */
  readonly compressions: readonly string[]
  /** Data and metadata, as stored; null, as the next four, where the manifest does not state it: Cinder's do not. */
  readonly storedBytes: number | null
  readonly storedDataBytes: number | null
  readonly storedMetadataBytes: number | null
  readonly chunkSizeBytes: number | null
  readonly blockSizeBytes: number | null
}

export function viewOf(record: BackupRecord): BackupView {
  const { id, volumeId, parentId, sizeBytes, createdAt, container, prefix, name, description, objectCount } =
    record
  const { storedDataBytes, storedMetadataBytes, chunkSizeBytes, blockSizeBytes } = record
  return {
    ...{ id, volumeId, parentId, sizeBytes, sizeIsMinimum: record.sizeIsMinimum ?? false },
    ...{ createdAt, container, prefix, name, description, objectCount },
    compressions: record.compressions ?? [],
    storedBytes: storedBytesOf(record) ?? null,
    storedDataBytes: storedDataBytes ?? null,
    storedMetadataBytes: storedMetadataBytes ?? null,
    chunkSizeBytes: chunkSizeBytes ?? null,
    blockSizeBytes: blockSizeBytes ?? null,
  }
}

/** Data and metadata of a backup, as stored; undefined where its manifest does not state it. */
export function storedBytesOf({ storedDataBytes, storedMetadataBytes }: BackupRecord): number | undefined {
  if (storedDataBytes === undefined || storedMetadataBytes === undefined) return undefined
  return storedDataBytes + storedMetadataBytes
}

/** The stored size of a backup, for a column: `12 MiB`, or `-` where its manifest does not state it. */
export function shownStored(record: BackupRecord): string {
  const bytes = storedBytesOf(record)
  return bytes === undefined ? '-' : formatSize(bytes)
}

/** The same in full: `12 MiB data in 3 objects + 8 KiB metadata`. */
export function storedText(record: BackupRecord): string {
  const { storedDataBytes, storedMetadataBytes } = record
  const objects = countOf(record.objectCount, 'object')
  if (storedDataBytes === undefined || storedMetadataBytes === undefined)
    return `${objects}, of a size that is not recorded`
  return `${formatSize(storedDataBytes)} data in ${objects} + ${formatSize(storedMetadataBytes)} metadata`
}

/** Formats the size of a backup's volume: `12 MiB`, or `≥ 12 MiB` where a parent is missing. */
export function shownSize({
  sizeBytes,
  sizeIsMinimum,
}: Pick<BackupRecord, 'sizeBytes'> & { readonly sizeIsMinimum?: boolean }): string {
  return `${sizeIsMinimum ? '\u2265 ' : ''}${formatSize(sizeBytes)}`
}

import type { BackupRecord } from '@stowage/backup-core'
import { formatSize } from '../sizes.js'

/** A backup as `--json` shows it. Scripts rely on these names. */
export interface BackupView {
  readonly id: string
  readonly volumeId: string
  readonly parentId: string | null
  readonly sizeBytes: number
  /** True where a parent that the size rests on is not in the store: the volume has at least `sizeBytes`. */
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
}

export function viewOf(record: BackupRecord): BackupView {
  const { id, volumeId, parentId, sizeBytes, createdAt, container, prefix, name, description, objectCount } =
    record
  return {
    ...{ id, volumeId, parentId, sizeBytes, sizeIsMinimum: record.sizeIsMinimum ?? false },
    ...{ createdAt, container, prefix, name, description, objectCount },
    compressions: record.compressions ?? [],
  }
}

/** The size of a backup's volume for a person: `12 MiB`, or `≥ 12 MiB` where a parent is out of sight. */
export function shownSize({ sizeBytes, sizeIsMinimum }: BackupRecord): string {
  return `${sizeIsMinimum ? '\u2265 ' : ''}${formatSize(sizeBytes)}`
}

import type { BackupRecord } from '@stowage/backup-core'

/** A backup as `--json` shows it. Scripts rely on these names. */
export interface BackupView {
  readonly id: string
  readonly volumeId: string
  readonly parentId: string | null
  readonly sizeBytes: number
  /** ISO 8601. */
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
  const { id, volumeId, parentId, sizeBytes, container, prefix, name, description, objectCount } = record
  const createdAt = isoTime(record.createdAt)
  const { compressions = [] } = record
  return {
    ...{ id, volumeId, parentId, sizeBytes, createdAt, container, prefix, name, description, objectCount },
    compressions,
  }
}

/** Cinder stores Python's `str(datetime)`: `2026-01-01 00:00:00+00:00`, with or without an offset, always of UTC. */
export function isoTime(stored: string): string {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?$/.exec(stored)
  if (!match) return stored
  const [, date = '', time = '', zone = 'Z'] = match
  return `${date}T${time}${zone === '+00:00' ? 'Z' : zone}`
}

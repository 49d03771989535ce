import type { BackupRecord } from '@stowage/backup-core'
import { formatSize } from '../sizes.js'
import { shownSize, storedBytesOf } from './backup-view.js'
import { localTime } from './local-time.js'
import { table } from './table.js'

/** What a store has of one volume, as `list --volumes --json` shows it. Scripts rely on these names. */
export interface VolumeSummary {
  readonly volumeId: string
  readonly backupCount: number
  readonly fullCount: number
  readonly incrementalCount: number
  /** Of the newest backup. */
  readonly sizeBytes: number
  /** Whether the volume may be larger: see `sizeIsMinimum` of a backup. */
  readonly sizeIsMinimum: boolean
  /** Data and metadata of all backups; null where the manifest of one of them does not state it. */
  readonly storedBytes: number | null
  /** ISO 8601, in UTC. */
  readonly oldestCreatedAt: string
  readonly newestCreatedAt: string
  readonly newestId: string
  /** Backups that cannot be restored, because a parent was not found. */
  readonly parentMissingCount: number
}

/**
 * Summarizes backups by volume, in the order of the volumes' ids.
 *
 * @param records - oldest first
 * @param orphaned - ids of backups whose parent was not found
 */
export function summariseVolumes(
  records: readonly BackupRecord[],
  orphaned: ReadonlySet<string>,
): VolumeSummary[] {
  const byVolume = new Map<string, BackupRecord[]>()
  for (const record of records) {
    const others = byVolume.get(record.volumeId)
    if (others) others.push(record)
    else byVolume.set(record.volumeId, [record])
  }
  return [...byVolume.values()]
    .flatMap((backups) => summaryOf(backups, orphaned))
    .sort((a, b) => (a.volumeId < b.volumeId ? -1 : 1))
}

function summaryOf(backups: readonly BackupRecord[], orphaned: ReadonlySet<string>): VolumeSummary[] {
  const [oldest, newest] = [backups[0], backups.at(-1)]
  if (!oldest || !newest) return []
  const fullCount = backups.filter(({ parentId }) => parentId === null).length
  const stored = backups.map(storedBytesOf)
  return [
    {
      volumeId: newest.volumeId,
      backupCount: backups.length,
      fullCount,
      incrementalCount: backups.length - fullCount,
      sizeBytes: newest.sizeBytes,
      sizeIsMinimum: newest.sizeIsMinimum ?? false,
      storedBytes: stored.includes(undefined)
        ? null
        : stored.reduce<number>((sum, bytes = 0) => sum + bytes, 0),
      oldestCreatedAt: oldest.createdAt,
      newestCreatedAt: newest.createdAt,
      newestId: newest.id,
      parentMissingCount: backups.filter(({ id }) => orphaned.has(id)).length,
    },
  ]
}

/** The same as a table. */
export async function volumeTable(volumes: readonly VolumeSummary[]): Promise<string> {
  const someMissing = volumes.some(({ parentMissingCount }) => parentMissingCount > 0)
  return table(
    [
      { title: 'VOLUME', value: ({ volumeId }: VolumeSummary) => volumeId },
      { title: 'BACKUPS', value: ({ backupCount }) => String(backupCount), align: 'right' },
      { title: 'FULL', value: ({ fullCount }) => String(fullCount), align: 'right' },
      { title: 'SIZE', value: shownSize, align: 'right' },
      {
        title: 'STORED',
        value: ({ storedBytes }) => (storedBytes === null ? '-' : formatSize(storedBytes)),
        align: 'right',
      },
      { title: 'OLDEST', value: ({ oldestCreatedAt }) => localTime(oldestCreatedAt) },
      { title: 'NEWEST', value: ({ newestCreatedAt }) => localTime(newestCreatedAt) },
      ...(someMissing
        ? [
            {
              title: 'PARENT MISSING',
              value: ({ parentMissingCount }: VolumeSummary) => String(parentMissingCount),
              align: 'right' as const,
            },
          ]
        : []),
      { title: 'NEWEST BACKUP', value: ({ newestId }) => newestId },
    ],
    volumes,
  )
}

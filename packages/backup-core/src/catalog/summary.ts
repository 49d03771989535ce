import { endOfObjects, sizeByManifest } from '../chain/volume-size.js'
import type { BackupRecord } from '../driver/types.js'
import { compressionsOf } from '../format/compressions.js'
import type { BackupMetadata } from '../format/metadata.js'

/** What of a manifest a record is made of: small, whatever the number of its objects. */
export interface Summary {
  readonly record: Omit<BackupRecord, 'sizeBytes'>
  readonly volumeSizeBytes: number | null
  /** The end of the last byte that this backup itself stored. */
  readonly endBytes: number
}

export function summarise(
  place: { readonly container: string; readonly prefix: string },
  metadata: BackupMetadata,
): Summary {
  return {
    record: {
      id: metadata.backupId,
      volumeId: metadata.volumeId,
      parentId: metadata.parentId,
      container: place.container,
      prefix: place.prefix,
      name: metadata.backupName,
      description: metadata.backupDescription,
      createdAt: metadata.createdAt,
      objectCount: metadata.objects.length,
      compressions: compressionsOf(metadata.objects),
    },
    volumeSizeBytes: metadata.volumeSizeBytes,
    endBytes: endOfObjects(metadata),
  }
}

/** A record, its size told from the full backup upwards. A parent that is not there counts as nothing, a loop ends. */
export function recordOf(summary: Summary, known: ReadonlyMap<string, Summary>): BackupRecord {
  const upwards: Summary[] = []
  const seen = new Set<string>()
  for (let next: Summary | undefined = summary; next && !seen.has(next.record.id);) {
    const { id, parentId }: Summary['record'] = next.record
    seen.add(id)
    upwards.push(next)
    next = parentId === null ? undefined : known.get(parentId)
  }
  const sizeBytes = upwards.reduceRight(
    (size, { record, volumeSizeBytes, endBytes }) =>
      sizeByManifest({ parentId: record.parentId, volumeSizeBytes, endBytes }, size),
    0,
  )
  return { ...summary.record, sizeBytes }
}

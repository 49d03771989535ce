import { endOfObjects, sizeByManifest } from '../chain/volume-size.js'
import type { BackupRecord, StoredSizes } from '../driver/types.js'
import { compressionsOf } from '../format/compressions.js'
import type { BackupMetadata } from '../format/metadata.js'
import { isoCreatedAt } from '../format/timestamps.js'

/** What of a manifest a record is made of: small, whatever the number of its objects. */
export interface Summary {
  readonly record: Omit<BackupRecord, 'sizeBytes'>
  /** Where the manifest says it: which of two backups of its parent's id the parent is. */
  readonly parentPrefix?: string
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
      createdAt: isoCreatedAt(metadata.createdAt),
      objectCount: metadata.objects.length,
      compressions: compressionsOf(metadata.objects),
      ...storedSizesOf(metadata),
    },
    ...(metadata.parentPrefix === undefined ? {} : { parentPrefix: metadata.parentPrefix }),
    volumeSizeBytes: metadata.volumeSizeBytes,
    endBytes: endOfObjects(metadata),
  }
}

/** What the manifest states of sizes: nothing where Cinder wrote it. */
export function storedSizesOf({ sizes, textBytes }: BackupMetadata): Partial<StoredSizes> {
  if (!sizes || textBytes === undefined) return {}
  const { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes } = sizes
  return { chunkSizeBytes, blockSizeBytes, storedDataBytes, storedMetadataBytes: sha256fileBytes + textBytes }
}

/** The size of a volume, as far as the manifests that were found state it. */
interface VolumeSize {
  readonly sizeBytes: number
  readonly isMinimum: boolean
}

/** Sizes that are known already, by the ids of their backups: each manifest of a chain is looked at once. */
export class VolumeSizes {
  readonly #sizes = new Map<string, VolumeSize>()

  has(backupId: string): boolean {
    return this.#sizes.has(backupId)
  }

  /**
   * The size of the first backup of a line, of which each is the child of the next, up to one that is known, is full or
   * has no parent in the store. A parent that is not there counts as nothing.
   */
  ofLine(line: readonly Summary[]): VolumeSize {
    let size: VolumeSize = { sizeBytes: 0, isMinimum: true }
    for (const { record, volumeSizeBytes, endBytes } of line.toReversed()) {
      const { id, parentId } = record
      const parent = parentId === null ? undefined : this.#sizes.get(parentId)
      const isStated = parentId === null || volumeSizeBytes !== null
      size = {
        sizeBytes: sizeByManifest({ parentId, volumeSizeBytes, endBytes }, parent?.sizeBytes ?? 0),
        isMinimum: !isStated && (parent?.isMinimum ?? true),
      }
      this.#sizes.set(id, size)
    }
    return size
  }
}

/** A record, its size told from the full backup upwards. A parent that is not known counts as nothing, a loop ends. */
export function recordOf(
  summary: Summary,
  known: ReadonlyMap<string, Summary>,
  sizes = new VolumeSizes(),
): BackupRecord {
  const line: Summary[] = [summary]
  const seen = new Set([summary.record.id])
  for (let { parentId } = summary.record; parentId !== null && !sizes.has(parentId) && !seen.has(parentId);) {
    seen.add(parentId)
    const parent = known.get(parentId)
    if (!parent) break
    line.push(parent)
    parentId = parent.record.parentId
  }
  const { sizeBytes, isMinimum } = sizes.ofLine(line)
  return { ...summary.record, sizeBytes, ...(isMinimum ? { sizeIsMinimum: true as const } : {}) }
}

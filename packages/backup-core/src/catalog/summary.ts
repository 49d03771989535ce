import { endOfObjects, sizeByManifest } from '../chain/volume-size.js'
import type { BackupRecord, StoredSizes } from '../contracts/records.js'
import { compressionsOf, type BackupMetadata } from '../format/metadata.js'
import { isoCreatedAt, parseCreatedAt } from '../format/timestamps.js'
import { beganAt } from '../format/backup-prefix.js'

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

/** What the order of backups is told by. */
type Ordered = Pick<BackupRecord, 'id' | 'parentId' | 'createdAt'>

/** Oldest first, and a parent always before its children, whatever the clocks said. */
export function inOrder<Backup extends Ordered>(records: readonly Backup[]): Backup[] {
  const byAge = [...records].sort((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : Number(a.id > b.id)))
  const byId = new Map(byAge.map((record) => [record.id, record]))
  const ordered: Backup[] = []
  const placed = new Set<Backup>()
  for (const record of byAge) {
    const line: Backup[] = []
    for (let next: Backup | undefined = record; next && !placed.has(next);) {
      placed.add(next)
      line.push(next)
      next = next.parentId === null ? undefined : byId.get(next.parentId)
    }
    ordered.push(...line.reverse())
  }
  return ordered
}

function timeOf(record: Ordered): number {
  return parseCreatedAt(record.createdAt)?.getTime() ?? 0
}

/**
 * The backups of a volume, newest first, read one second at a time: of thousands of backups as few manifests as the caller
 * takes. The names say when each began, where they are as Cinder's drivers make them; of others the manifests do, and all
 * of them are read.
 *
 * Backups of one second are ordered by their chain.
 *
 * @param read - reads manifests, in any order; leaves out what is unreadable, or gone
 */
export async function* newestFirst<Place extends { readonly prefix: string }>(
  places: readonly Place[],
  volumeId: string,
  read: (places: readonly Place[]) => Promise<readonly Summary[]>,
): AsyncGenerator<Summary['record']> {
  const datedPlaces = new Map<string, Place[]>()
  const undated: Place[] = []
  for (const place of places) {
    const second = beganAt(place.prefix, volumeId)
    if (second === undefined) undated.push(place)
    else datedPlaces.set(second, [...(datedPlaces.get(second) ?? []), place])
  }
  const readAlready = await read(undated)
  const seconds = new Set([...datedPlaces.keys(), ...readAlready.map(secondOf)])
  for (const second of [...seconds].sort().reverse()) {
    const ofSecond = readAlready.filter((summary) => secondOf(summary) === second)
    const summaries = [...ofSecond, ...(await read(datedPlaces.get(second) ?? []))]
    const records = summaries.map(({ record }) => record)
    yield* inOrder(records.filter((record) => record.volumeId === volumeId)).reverse()
  }
}

function secondOf({ record: { createdAt } }: Summary): string {
  const time = parseCreatedAt(createdAt) ?? new Date(0)
  return time.toISOString().replace(/\D/g, '').slice(0, 14)
}

import type { BackupRecord, StoredSizes } from '../contracts/records.js'
import { compressionsOf, type Manifest } from '../format/manifest.js'
import { formatPrefixTimestamp, isoCreatedAt, parseCreatedAt } from '../format/timestamps.js'
import { startSecondOf } from '../format/backup-prefix.js'
import { endOfObjects, sizeByManifest } from '../chain/volume-size.js'

/** The part of a manifest that its record needs: small, whatever the number of objects. */
export interface Summary {
  readonly record: Omit<BackupRecord, 'sizeBytes'>
  /** Which of two backups with the parent's id the parent is, where the manifest states it. */
  readonly parentPrefix?: string
  readonly volumeSizeBytes: number | null
  /** The end of the last byte that this backup itself stored. */
  readonly endBytes: number
}

/** The summary of a manifest. */
export function summarise(
  location: { readonly container: string; readonly prefix: string },
  manifest: Manifest,
): Summary {
  return {
    record: {
      id: manifest.backupId,
      volumeId: manifest.volumeId,
      parentId: manifest.parentId,
      container: location.container,
      prefix: location.prefix,
      name: manifest.backupName,
      description: manifest.backupDescription,
      createdAt: isoCreatedAt(manifest.createdAt),
      objectCount: manifest.objects.length,
      compressions: compressionsOf(manifest.objects),
      ...storedSizesOf(manifest),
    },
    ...(manifest.parentPrefix === undefined ? {} : { parentPrefix: manifest.parentPrefix }),
    volumeSizeBytes: manifest.volumeSizeBytes,
    endBytes: endOfObjects(manifest),
  }
}

/** The sizes that the manifest states; none where Cinder wrote it. */
function storedSizesOf({ sizes, textBytes }: Manifest): Partial<StoredSizes> {
  if (!sizes || textBytes === undefined) return {}
  const { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes } = sizes
  return { chunkSizeBytes, blockSizeBytes, storedDataBytes, storedMetadataBytes: sha256fileBytes + textBytes }
}

/** The size of a volume, as far as the manifests that were found state it. */
interface VolumeSize {
  readonly sizeBytes: number
  readonly isMinimum: boolean
}

/** Known volume sizes by backup id, so that each manifest of a chain is used once. */
export type VolumeSizes = Map<string, VolumeSize>

/** A record with the size of its volume, computed from the full backup upwards. A missing parent counts as 0 bytes. */
export function recordOf(
  summary: Summary,
  known: ReadonlyMap<string, Summary>,
  sizes: VolumeSizes = new Map(),
): BackupRecord {
  const ancestry: Summary[] = []
  const seen = new Set<string>()
  for (let next: Summary | undefined = summary; next && !seen.has(next.record.id);) {
    ancestry.push(next)
    seen.add(next.record.id)
    const { parentId }: Summary['record'] = next.record
    next = parentId === null || sizes.has(parentId) ? undefined : known.get(parentId)
  }
  let size: VolumeSize = { sizeBytes: 0, isMinimum: true }
  for (const { record, volumeSizeBytes, endBytes } of ancestry.reverse()) {
    const { id, parentId } = record
    const parent = parentId === null ? undefined : sizes.get(parentId)
    const isStated = parentId === null || volumeSizeBytes !== null
    size = {
      sizeBytes: sizeByManifest({ parentId, volumeSizeBytes, endBytes }, parent?.sizeBytes ?? 0),
      isMinimum: !isStated && (parent?.isMinimum ?? true),
    }
    sizes.set(id, size)
  }
  const { sizeBytes, isMinimum } = size
  return { ...summary.record, sizeBytes, ...(isMinimum ? { sizeIsMinimum: true as const } : {}) }
}

/** What determines the order of backups. */
type Ordered = Pick<BackupRecord, 'id' | 'parentId' | 'createdAt'>

/** Sorts backups: oldest first, and a parent always before its children, whatever their clocks. */
export function sortOldestFirst<Backup extends Ordered>(records: readonly Backup[]): Backup[] {
  const byAge = [...records].sort((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : Number(a.id > b.id)))
  const byId = new Map(byAge.map((record) => [record.id, record]))
  const ordered: Backup[] = []
  const placed = new Set<Backup>()
  for (const record of byAge) {
    const ancestry: Backup[] = []
    for (let next: Backup | undefined = record; next && !placed.has(next);) {
      placed.add(next)
      ancestry.push(next)
      next = next.parentId === null ? undefined : byId.get(next.parentId)
    }
    ordered.push(...ancestry.reverse())
  }
  return ordered
}

function timeOf(record: Ordered): number {
  return parseCreatedAt(record.createdAt)?.getTime() ?? 0
}

/**
 * Yields the backups of a volume, newest first. Manifests are read one second at a time, so that a caller that stops early
 * reads few of thousands. The names of Cinder's drivers contain the time; of other names, all manifests are read.
 *
 * Backups of one second are ordered by their chain.
 *
 * @param read - reads manifests, in any order; leaves out those that cannot be read, or are gone
 */
export async function* newestFirst<Location extends { readonly prefix: string }>(
  locations: readonly Location[],
  volumeId: string,
  read: (locations: readonly Location[]) => Promise<readonly Summary[]>,
): AsyncGenerator<Summary['record']> {
  const datedLocations = new Map<string, Location[]>()
  const undated: Location[] = []
  for (const location of locations) {
    const second = startSecondOf(location.prefix, volumeId)
    if (second === undefined) undated.push(location)
    else datedLocations.set(second, [...(datedLocations.get(second) ?? []), location])
  }
  const readAlready = await read(undated)
  const seconds = new Set([...datedLocations.keys(), ...readAlready.map(secondOf)])
  for (const second of [...seconds].sort().reverse()) {
    const ofSecond = readAlready.filter((summary) => secondOf(summary) === second)
    const summaries = [...ofSecond, ...(await read(datedLocations.get(second) ?? []))]
    const records = summaries.map(({ record }) => record)
    yield* sortOldestFirst(records.filter((record) => record.volumeId === volumeId)).reverse()
  }
}

function secondOf({ record: { createdAt } }: Summary): string {
  return formatPrefixTimestamp(parseCreatedAt(createdAt) ?? new Date(0))
}

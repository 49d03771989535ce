import type { BackupLookup } from '../catalog/backup-lookup.js'
import { allOf, assertMayCommit, assertObjectsExist, type CommitSubject } from '../commit/commit-checks.js'
import { assertContainerIsSearchedNow } from '../commit/location.js'
import type { StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord, StoredSizes } from '../contracts/records.js'
import { compressionsOf, type Manifest, type StoredObject } from '../format/manifest.js'
import type { HashList } from '../format/hash-list.js'
import { FORMAT_VERSION } from '../format/json.js'
import { manifestBody } from '../format/manifest-writer.js'
import { sha256fileBody } from '../format/sha256file.js'
import { formatCreatedAt, isoCreatedAt } from '../format/timestamps.js'
import { controlObjectNames } from '../store/access.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import type { Destination } from './destination.js'
import type { Parent } from './prepare.js'

/** The stored part of a volume. */
export interface StoredVolume {
  readonly sizeBytes: number
  readonly blockSizeBytes: number
  /** Of the data objects. */
  readonly storedDataBytes: number
  readonly hashes: HashList
  /** In the order of their names. */
  readonly objects: readonly (StoredObject | undefined)[]
  readonly meter: ProgressMeter
}

/**
 * Writes the block hashes and then the manifest, which commits the backup, when all other objects are stored. The conditions
 * of the commit are checked before it and again after it: the parent may be deleted, or another run commit the same id,
 * between a check and the commit. The other side does the same, it writes and then checks: one of the two sees the other.
 *
 * Rejects where a check fails: the caller then removes the manifest with all other objects.
 */
export async function commit(
  openLookup: () => BackupLookup,
  destination: Destination,
  volume: StoredVolume,
  options: StoreOptions,
): Promise<BackupRecord & StoredSizes> {
  const { prepared, sink, prefix } = destination
  const { backup, idGiven } = prepared
  const subject: CommitSubject = {
    ...{ store: sink.store, backupId: backup.id, container: sink.container, prefix, idGiven },
    parent: prepared.parent?.record ?? null,
    operation: 'backup',
  }
  const [manifestName, sha256fileName] = controlObjectNames(prefix)
  const common = {
    backupId: backup.id,
    volumeId: backup.volumeId,
    backupName: backup.name,
    backupDescription: backup.description,
    createdAt: formatCreatedAt(backup.createdAt),
  }
  // `map` would skip an entry that is not there.
  const objects = Array.from(volume.objects, (object, index) => {
    if (!object) throw new RangeError(`object ${index + 1} was not stored`)
    return object
  })
  const { sizeBytes, blockSizeBytes, storedDataBytes, meter } = volume
  const { chunkSizeBytes } = prepared
  const hashesBody = sha256fileBody({ ...common, blockSizeBytes }, volume.hashes)
  const manifest: Manifest = {
    ...common,
    version: FORMAT_VERSION,
    parentId: backup.parentId,
    ...ancestryOf(prepared.parent),
    volumeMeta: prepared.volumeMeta,
    extraMetadata: sink.extraMetadata,
    objects,
    volumeSizeBytes: sizeBytes,
    sizes: { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes: hashesBody.lengthBytes },
    checksummed: true,
  }
  const objectOptions = { ...options, extraMetadata: null }
  meter.begin('store-hash-list')
  await sink.writer.write(sha256fileName, hashesBody, objectOptions)
  meter.add({ transferredBytes: hashesBody.lengthBytes })
  if (destination.containerListedLater)
    await assertContainerIsSearchedNow(openLookup(), subject.parent, sink.container)
  await assertMayCommit(openLookup, subject, options)
  const commitBody = await manifestBody(manifest)
  meter.begin('store-metadata')
  await sink.writer.write(manifestName, commitBody, objectOptions)
  meter.add({ transferredBytes: commitBody.lengthBytes })
  await allOf([
    () => assertMayCommit(openLookup, subject, options),
    () => assertObjectsExist(subject, sink.writer.names, options),
  ])
  return {
    id: backup.id,
    volumeId: backup.volumeId,
    parentId: backup.parentId,
    container: sink.container,
    prefix,
    name: backup.name,
    description: backup.description,
    createdAt: isoCreatedAt(common.createdAt),
    sizeBytes,
    objectCount: objects.length,
    compressions: compressionsOf(objects),
    ...{ chunkSizeBytes, blockSizeBytes, storedDataBytes },
    storedMetadataBytes: hashesBody.lengthBytes + commitBody.lengthBytes,
  }
}

/** More ids than this would be the largest part of a manifest. */
const MAX_ANCESTORS = 2000

/** Returns the parent's prefix and the ids of all ancestors, for an incremental's manifest. */
function ancestryOf(parent: Parent | null): Pick<Manifest, 'parentPrefix' | 'ancestorIds'> {
  if (!parent) return {}
  const { record, ancestorIds } = parent
  const isShort = ancestorIds !== undefined && ancestorIds.length < MAX_ANCESTORS
  return { parentPrefix: record.prefix, ...(isShort ? { ancestorIds: [record.id, ...ancestorIds] } : {}) }
}

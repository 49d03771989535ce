import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord, StoredSizes } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { compressionsOf, type Manifest, type StoredObject } from '../format/manifest.js'
import type { HashList } from '../format/hash-list.js'
import { FORMAT_VERSION } from '../format/json.js'
import { manifestBody } from '../format/manifest-writer.js'
import { manifestObjectName } from '../format/object-names.js'
import { sha256fileBody } from '../format/sha256file.js'
import { formatCreatedAt, isoCreatedAt } from '../format/timestamps.js'
import { controlObjectNames, StoreAccess } from '../store/access.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { containerNotSearched, type Destination } from './destination.js'
import { assertNotBeingDeleted, backupExists, beingDeleted, type Parent } from './prepare.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

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
  const { backup } = prepared
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
  if (destination.containerListedLater) await assertContainerIsSearchedNow(openLookup(), destination)
  await assertMayCommit(openLookup, destination, options)
  const commitBody = await manifestBody(manifest)
  meter.begin('store-metadata')
  await sink.writer.write(manifestName, commitBody, objectOptions)
  meter.add({ transferredBytes: commitBody.lengthBytes })
  await allOf([
    () => assertMayCommit(openLookup, destination, options),
    () => assertObjectsExist(destination, options),
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

/**
 * Rejects a backup whose objects were removed while it ran: a removal of orphans with a small age may have taken them for
 * those of a killed run. One listing is enough, and a request for each name that it lacks; a listing that fails does not
 * fail the backup.
 */
async function assertObjectsExist(
  { sink: { store, container, writer }, prefix, prepared }: Destination,
  options: StoreOptions,
): Promise<void> {
  const listed = await new StoreAccess(store, options).list({ container, prefix }).catch((error: unknown) => {
    if (isBackupError(error, 'ABORTED')) throw error
    return { own: new Set<string>() }
  })
  const unlisted = [...writer.names].filter((name) => !listed.own.has(name))
  await mapConcurrently(unlisted, async (objectName) => {
    if (await store.objectExists(container, objectName, options)) return
    throw new BackupError(
      'OBJECT_MISSING',
      `Cannot keep backup ${prepared.backup.id}: object ${objectName} was removed from ${container} while the backup ran. ` +
        'Remove only orphans of a greater age, or while no backup runs.',
      { backupId: prepared.backup.id, container, objectName },
    )
  })
}

/** Checks what a delete, or another run with the same id, can change at any time. */
async function assertMayCommit(
  openLookup: () => BackupLookup,
  { prepared, sink, prefix }: Destination,
  options: StoreOptions,
): Promise<void> {
  const { backup, idGiven, parent } = prepared
  const assertNotTaken = async (): Promise<void> => {
    // New lookups: a used one has its old listings. A delete writes its marker before it hides `_metadata`.
    if (await openLookup().hasOther(backup.id, { container: sink.container, prefix }))
      throw backupExists(backup.id)
    if ((await openLookup().findMarkers(backup.id)).length > 0) throw beingDeleted(backup.id)
  }
  await allOf([
    ...(parent ? [() => assertParentExists(sink.store, parent.record, options)] : []),
    ...(idGiven ? [assertNotTaken] : []),
  ])
}

/** Runs checks concurrently. */
async function allOf(checks: readonly (() => Promise<void>)[]): Promise<void> {
  await mapConcurrently(checks, (check) => check())
}

async function assertParentExists(
  store: ObjectStore,
  parent: BackupRecord,
  options: StoreOptions,
): Promise<void> {
  if (!(await store.objectExists(parent.container, manifestObjectName(parent.prefix), options))) {
    throw new BackupError(
      'CHAIN_INVALID',
      `Cannot commit the incremental: its parent, backup ${parent.id}, was deleted meanwhile. Make a full backup.`,
      { backupId: parent.id },
    )
  }
  // A delete writes its marker, then searches incrementals; an incremental is written, then searches markers.
  await assertNotBeingDeleted(store, parent, options)
}

/** Checks that a delete of the parent searches the container, which a driver can list once it has objects. */
async function assertContainerIsSearchedNow(
  lookup: BackupLookup,
  { prepared, sink }: Destination,
): Promise<void> {
  if (await lookup.listsContainer(sink.container)) return
  throw containerNotSearched(prepared.parent?.record.container ?? '', sink.container)
}

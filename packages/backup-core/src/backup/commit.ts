import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord, StoredSizes } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { compressionsOf, type BackupMetadata, type StoredObject } from '../format/metadata.js'
import type { HashList } from '../format/hash-list.js'
import { FORMAT_VERSION } from '../format/fields.js'
import { metadataBody } from '../format/metadata-writer.js'
import { metadataObjectName } from '../format/object-names.js'
import { sha256fileBody } from '../format/sha256file.js'
import { formatCreatedAt, isoCreatedAt } from '../format/timestamps.js'
import { Limiter } from '../pipeline/slots.js'
import { controlObjectNames, listBackupObjects } from '../store/objects.js'
import type { ProgressStep } from '../contracts/progress.js'
import { notSearchable, type Destination } from './destination.js'
import { assertNotBeingDeleted, backupExists, beingDeleted, type Parent } from './prepare.js'

/** What was stored of a volume. */
export interface StoredVolume {
  readonly sizeBytes: number
  readonly blockSizeBytes: number
  /** The chunk objects, as stored. */
  readonly storedDataBytes: number
  readonly hashes: HashList
  /** In the order of their names. */
  readonly objects: readonly (StoredObject | undefined)[]
  /** Called before each of the two JSON objects is stored. */
  readonly begin: (step: ProgressStep) => void
  /** Called with the length of each of the two JSON objects, when it is stored. */
  readonly metadataStored: (lengthBytes: number) => void
}

/**
 * Writes the two JSON objects, the commit object last, when all else is there. What would make the backup wrong is checked
 * before it and again after it: the parent may be deleted, or another run commit the same id, between a check and the
 * commit. The check after it closes that gap, because the other side checks in the same order: writes, then looks.
 *
 * Rejects where a check fails: the caller then removes the commit object with all else.
 */
export async function commit(
  openLookup: () => BackupLookup,
  destination: Destination,
  volume: StoredVolume,
  options: StoreOptions,
): Promise<BackupRecord & StoredSizes> {
  const { prepared, sink, prefix } = destination
  const { backup } = prepared
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const common = {
    backupId: backup.id,
    volumeId: backup.volumeId,
    backupName: backup.name,
    backupDescription: backup.description,
    createdAt: formatCreatedAt(backup.createdAt),
  }
  const objects = volume.objects.map((object, index) => {
    if (!object) throw new RangeError(`object ${index + 1} was never stored`)
    return object
  })
  const { sizeBytes, blockSizeBytes, storedDataBytes } = volume
  const { chunkSizeBytes } = prepared
  const hashFile = sha256fileBody({ ...common, blockSizeBytes }, volume.hashes)
  const metadata: BackupMetadata = {
    ...common,
    version: FORMAT_VERSION,
    parentId: backup.parentId,
    ...lineOf(prepared.parent),
    volumeMeta: prepared.volumeMeta,
    extraMetadata: sink.extraMetadata,
    objects,
    volumeSizeBytes: sizeBytes,
    sizes: { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes: hashFile.lengthBytes },
    checksummed: true,
  }
  const objectOptions = { ...options, extraMetadata: null }
  volume.begin('store-hash-list')
  await sink.written.write(sha256fileName, hashFile, objectOptions)
  volume.metadataStored(hashFile.lengthBytes)
  if (destination.mustBeFound) await assertFound(openLookup(), destination)
  await assertMayExist(openLookup, destination, options)
  const metadataFile = metadataBody(metadata)
  volume.begin('store-metadata')
  await sink.written.write(metadataName, metadataFile, objectOptions)
  volume.metadataStored(metadataFile.lengthBytes)
  await assertMayExist(openLookup, destination, options)
  await assertObjectsThere(destination, options)
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
    storedMetadataBytes: hashFile.lengthBytes + metadataFile.lengthBytes,
  }
}

/** Beyond that the ids would be most of a manifest. */
const MOST_ANCESTORS = 2000

/** What an incremental's manifest says of those that it stands on, beside the id of its parent. */
function lineOf(parent: Parent | null): Pick<BackupMetadata, 'parentPrefix' | 'ancestorIds'> {
  if (!parent) return {}
  const { record, ancestorIds } = parent
  const isShort = ancestorIds !== undefined && ancestorIds.length < MOST_ANCESTORS
  return { parentPrefix: record.prefix, ...(isShort ? { ancestorIds: [record.id, ...ancestorIds] } : {}) }
}

/** How many objects are asked for at once. */
const QUESTIONS_AT_ONCE = 8

/**
 * The removal of orphans may have taken what was stored for that of a killed run, where it was told to remove what is young.
 * One listing is enough, and a query for each name that it lacks; a listing that fails does not fail the backup.
 */
async function assertObjectsThere(
  { sink: { store, container, written }, prefix, prepared }: Destination,
  options: StoreOptions,
): Promise<void> {
  const listed = await listBackupObjects(store, container, prefix, options).catch((error: unknown) => {
    if (isBackupError(error, 'ABORTED')) throw error
    return { own: new Set<string>() }
  })
  const limiter = new Limiter(QUESTIONS_AT_ONCE)
  const unlisted = [...written.names].filter((name) => !listed.own.has(name))
  await Promise.all(
    unlisted.map((objectName) =>
      limiter.run(async () => {
        if (await store.objectExists(container, objectName, options)) return
        throw new BackupError(
          'OBJECT_MISSING',
          `Object ${objectName} was removed from ${container} while the backup ran, so that the backup was not kept. ` +
            'Remove orphans of a greater age only, or while no backup runs.',
          { backupId: prepared.backup.id, container, objectName },
        )
      }),
    ),
  )
}

/** What a delete, or another run with the same id, can change at any time. */
async function assertMayExist(
  openLookup: () => BackupLookup,
  { prepared, sink, prefix }: Destination,
  options: StoreOptions,
): Promise<void> {
  const { backup, idGiven, parent } = prepared
  if (parent) await assertStillThere(sink.store, parent.record, options)
  if (!idGiven) return
  // Lookups of their own: one that was used has its listings. A delete writes its marker before it hides `_metadata`.
  if (await openLookup().hasOther(backup.id, { container: sink.container, prefix }))
    throw backupExists(backup.id)
  if ((await openLookup().findMarkers(backup.id)).length > 0) throw beingDeleted(backup.id)
}

async function assertStillThere(
  store: ObjectStore,
  parent: BackupRecord,
  options: StoreOptions,
): Promise<void> {
  if (!(await store.objectExists(parent.container, metadataObjectName(parent.prefix), options))) {
    throw new BackupError(
      'CHAIN_INVALID',
      `The parent, backup ${parent.id}, was deleted while this incremental was made. Do a full backup.`,
      { backupId: parent.id },
    )
  }
  // A delete writes its marker, and then looks for incrementals; this one was written, and then looks for markers.
  await assertNotBeingDeleted(store, parent, options)
}

/** The container holds objects by now: a driver that lists its containers lists it. */
async function assertFound(lookup: BackupLookup, { prepared, sink }: Destination): Promise<void> {
  if ((await lookup.searches(sink.container)) !== false) return
  throw notSearchable(prepared.parent?.record.container ?? '', sink.container)
}

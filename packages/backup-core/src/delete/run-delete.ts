import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { BackupCatalog } from '../catalog/catalog.js'
import { inOrder } from '../catalog/order.js'
import { readMetadata } from '../chain/read-metadata.js'
import type { DeleteOptions, DeleteResult } from '../driver/requests.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { ProgressMeter } from '../progress/progress-meter.js'
import { controlObjectNames, listBackupObjects } from '../store/list-objects.js'
import { signalOptions } from '../driver/signal-options.js'

/** Where backups are deleted. */
export interface DeleteJob {
  readonly store: ObjectStore
  readonly lookup: BackupLookup
  readonly catalog: BackupCatalog
}

/** How many objects are handed to the store at once, so that progress is told and an abort is heard. */
const BATCH = 1000

/**
 * Deletes a backup, and with it those that depend on it where the caller said so, newest first: what is left after a
 * failure is whole.
 */
export async function runDelete(
  job: DeleteJob,
  record: BackupRecord,
  options: DeleteOptions,
): Promise<DeleteResult> {
  const descendants = await findDescendants(job.lookup, record)
  if (descendants.length > 0 && !options.withDescendants) {
    const ids = descendants.map(({ id }) => id)
    throw new BackupError(
      'HAS_DEPENDENTS',
      `Backup ${record.id} is the base of ${ids.length} incremental(s): ${ids.join(', ')}. Delete those first, or say that they go too.`,
      { backupId: record.id, backupIds: ids },
    )
  }
  const doomed = [...descendants].reverse().concat(record)
  const meter = new ProgressMeter(
    'delete',
    doomed.reduce((sum, { objectCount }) => sum + objectCount + 2, 0),
    options.onProgress,
  )
  for (const next of doomed) await deleteOne(job, next, meter, options.signal)
  meter.finish()
  return { deleted: doomed.map(({ id }) => id), objectsDeleted: meter.objects }
}

/**
 * Deletes one backup: the commit object first, so that from then on there is no backup, whatever happens next. Then
 * all that its manifest names and all that the listing shows: either may know of objects that the other does not.
 */
async function deleteOne(
  job: DeleteJob,
  record: BackupRecord,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal, 'The delete')
  const { store } = job
  const options: StoreOptions = signalOptions(signal)
  const [metadataName, sha256fileName] = controlObjectNames(record.prefix)
  const names = new Set([sha256fileName])
  for (const name of await manifestNames(store, record, options)) names.add(name)
  let listingError: unknown
  try {
    const { own } = await listBackupObjects(store, record.container, record.prefix, options)
    for (const name of own) names.add(name)
  } catch (error) {
    if (isBackupError(error, 'ABORTED')) throw error
    listingError = error
  }
  names.delete(metadataName)

  await store.deleteObject(record.container, metadataName, options)
  meter.add({ done: 1, objects: 1 })
  await job.catalog.remove(record.id, options)

  const leftovers: string[] = []
  let cause: unknown = listingError
  const all = [...names]
  for (let start = 0; start < all.length; start += BATCH) {
    throwIfAborted(signal, 'The delete')
    const batch = all.slice(start, start + BATCH)
    const failed = await store.deleteObjects(record.container, batch, options)
    for (const { objectName, error } of failed) {
      leftovers.push(objectName)
      cause ??= error
    }
    meter.add({ done: batch.length - failed.length, objects: batch.length - failed.length })
  }
  if (leftovers.length > 0 || listingError !== undefined) throw incomplete(record, leftovers, cause)
}

/** A manifest that cannot be read keeps nobody from deleting: the listing has the names. */
async function manifestNames(
  store: ObjectStore,
  record: BackupRecord,
  options: StoreOptions,
): Promise<readonly string[]> {
  try {
    const { objects } = await readMetadata(store, record, options)
    return objects.map(({ name }) => name)
  } catch (error) {
    if (
      isBackupError(error, 'METADATA_INVALID') ||
      isBackupError(error, 'VERSION_UNSUPPORTED') ||
      isBackupError(error, 'OBJECT_MISSING')
    ) {
      return []
    }
    throw error
  }
}

/** Every backup that has this one among its parents, oldest first. */
async function findDescendants(lookup: BackupLookup, record: BackupRecord): Promise<BackupRecord[]> {
  const all: BackupRecord[] = []
  for await (const other of lookup.list({ nearContainer: record.container })) all.push(other)
  const found = new Set([record.id])
  // In order, so that a child is always met after its parent.
  return inOrder(all).filter((other) => {
    if (other.parentId === null || other.id === record.id || !found.has(other.parentId)) return false
    found.add(other.id)
    return true
  })
}

function incomplete(record: BackupRecord, leftovers: readonly string[], cause: unknown): BackupError {
  const what =
    leftovers.length > 0
      ? `${leftovers.length} of its objects could not be deleted, ${leftovers[0] ?? ''} for one`
      : 'its container could not be listed, so that objects beyond its manifest may be left'
  return new BackupError(
    'DELETE_INCOMPLETE',
    `Backup ${record.id} is gone, but ${what}. Delete them with the store's own tools: nothing refers to them any more.`,
    { backupId: record.id, container: record.container, leftovers, cause },
  )
}

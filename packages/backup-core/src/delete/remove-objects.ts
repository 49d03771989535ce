import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { parseMetadata } from '../format/metadata-reader.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { bytesBody, controlObjectNames, listBackupObjects } from '../store/objects.js'
import type { DeleteTarget } from './dependents.js'

/** What objects are removed with. */
interface RemoveMeans {
  readonly store: ObjectStore
  readonly meter: ProgressMeter
  readonly options: StoreOptions
}

/** How many objects are deleted in one call of the store, between two reports of progress. */
const BATCH = 1000

/**
 * Removes all objects of a backup but `_metadata`: those that its manifest names and those that the listing shows. Either
 * may know objects that the other does not.
 *
 * @throws `DELETE_INCOMPLETE` with the names that are left
 */
export async function removeObjects(
  { store, meter, options }: RemoveMeans,
  target: DeleteTarget,
  metadata: Uint8Array | null,
): Promise<void> {
  const { container, prefix } = target
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const names = new Set([sha256fileName])
  for (const name of await manifestNames(target, metadata)) names.add(name)
  let listingError: unknown
  try {
    const { own } = await listBackupObjects(store, container, prefix, options)
    for (const name of own) names.add(name)
  } catch (error) {
    if (isBackupError(error, 'ABORTED')) throw error
    listingError = error
  }
  names.delete(metadataName)
  const leftovers: string[] = []
  let cause: unknown = listingError
  const all = [...names]
  for (let start = 0; start < all.length; start += BATCH) {
    throwIfAborted(options.signal, 'The delete')
    const batch = all.slice(start, start + BATCH)
    const failed = await store.deleteObjects(container, batch, options)
    for (const { objectName, error } of failed) {
      leftovers.push(objectName)
      cause ??= error
    }
    meter.add({ done: batch.length - failed.length, objects: batch.length - failed.length })
  }
  if (leftovers.length > 0 || listingError !== undefined) throw incomplete(target, leftovers, cause)
}

/** A manifest that cannot be read does not prevent the delete: the listing has the names. */
export async function manifestNames(
  target: DeleteTarget,
  bytes: Uint8Array | null,
): Promise<readonly string[]> {
  if (!bytes) return []
  const objectName = controlObjectNames(target.prefix)[0]
  try {
    const pieces = bytesBody(bytes).stream()
    const { objects } = await parseMetadata(pieces, { container: target.container, objectName })
    return objects.map(({ name }) => name)
  } catch (error) {
    if (isBackupError(error, 'METADATA_INVALID') || isBackupError(error, 'VERSION_UNSUPPORTED')) return []
    throw error
  }
}

function incomplete(
  { id, container }: DeleteTarget,
  leftovers: readonly string[],
  cause: unknown,
): BackupError {
  const what =
    leftovers.length > 0
      ? `${leftovers.length} of its objects could not be deleted, ${leftovers[0] ?? ''} for one`
      : 'its container could not be listed, so that objects beyond its manifest may be left'
  return new BackupError(
    'DELETE_INCOMPLETE',
    `Backup ${id} is gone, but ${what}. Delete it again to finish that.`,
    { backupId: id, container, leftovers, cause },
  )
}

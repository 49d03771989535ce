import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { controlObjectNames, listBackupObjects } from '../store/objects.js'
import type { DeleteTarget } from './find-target.js'
import { parseIfReadable, type StoreAccess } from './marker.js'

/** How many objects are deleted in one call of the store, between two reports of progress. */
const BATCH = 1000

/**
 * Removes all objects of a backup but `_metadata`: those that its manifest names and those that the listing names. Each
 * may have objects that the other lacks.
 *
 * @param metadata - a manifest that cannot be read does not prevent the delete: the listing has the names
 * @throws BackupError `DELETE_INCOMPLETE` with the names that are left
 */
export async function removeObjects(
  { store, meter, options }: StoreAccess & { readonly meter: ProgressMeter },
  target: DeleteTarget,
  metadata: Uint8Array | null,
): Promise<void> {
  const { id, container, prefix } = target
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const manifest = await parseIfReadable(metadata, target)
  const names = new Set([sha256fileName, ...(manifest?.objects ?? []).map(({ name }) => name)])
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
  if (leftovers.length === 0 && listingError === undefined) return
  const what =
    leftovers.length > 0
      ? `${leftovers.length} of its objects could not be deleted, such as ${leftovers[0] ?? ''}`
      : 'its container could not be listed, so that objects that its manifest does not name may be left'
  throw new BackupError(
    'DELETE_INCOMPLETE',
    `Backup ${id} is no longer available, but ${what}. Delete it again to remove them.`,
    { backupId: id, container, leftovers, cause },
  )
}

import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { controlObjectNames, type StoreAccess } from '../store/access.js'
import type { DeleteTarget } from './find-target.js'
import { parseIfReadable } from './marker.js'

/** How many objects are deleted in one call of the store, between two reports of progress. */
const BATCH = 1000

/**
 * Removes all objects of a backup but `_metadata`: those that the manifest names and those that the listing names. Each may have objects
 * that the other lacks. A manifest that cannot be read does not prevent the delete: the listing has the names.
 *
 * @param metadata - the bytes of `_metadata`; null where they cannot be read
 * @throws BackupError `DELETE_INCOMPLETE` with the names that are left
 */
export async function removeObjects(
  { access, meter }: { readonly access: StoreAccess; readonly meter: ProgressMeter },
  target: DeleteTarget,
  manifestBytes: Uint8Array | null,
): Promise<void> {
  const { id, container, prefix } = target
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const manifest = await parseIfReadable(manifestBytes, target)
  const names = new Set([sha256fileName, ...(manifest?.objects ?? []).map(({ name }) => name)])
  let cause: unknown
  let isListed = true
  try {
    const { own } = await access.list(target)
    for (const name of own) names.add(name)
  } catch (error) {
    if (isBackupError(error, 'ABORTED')) throw error
    cause = error
    isListed = false
  }
  names.delete(metadataName)
  const leftovers: string[] = []
  const all = [...names]
  for (let start = 0; start < all.length; start += BATCH) {
    throwIfAborted(access.options.signal, 'The delete')
    const batch = all.slice(start, start + BATCH)
    const failed = await access.store.deleteObjects(container, batch, access.options)
    leftovers.push(...failed.map(({ objectName }) => objectName))
    cause ??= failed[0]?.error
    meter.add({ done: batch.length - failed.length, objects: batch.length - failed.length })
  }
  const [first] = leftovers
  if (first === undefined && isListed) return
  const what =
    first === undefined
      ? 'its container could not be listed, so that objects that its manifest does not name may be left'
      : `${leftovers.length} of its objects could not be deleted, such as ${first}`
  const message = `Backup ${id} is no longer available, but ${what}. Delete it again to remove them.`
  throw new BackupError('DELETE_INCOMPLETE', message, { backupId: id, container, leftovers, cause })
}

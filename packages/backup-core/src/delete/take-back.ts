import { isUnreadable } from '../catalog/list-container.js'
import { readMetadataAt } from '../chain/read-metadata.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { parseMetadata } from '../format/metadata.js'
import { metadataObjectName, prefixOfMetadataObject } from '../format/object-names.js'
import { listBackupObjects } from '../store/list-objects.js'
import { bytesBody, writeObject } from '../store/write-object.js'
import type { DeleteTarget } from './dependents.js'
import type { Found } from './found-backup.js'
import { listMarkers, outranks, type Markers, type StoredMarker } from './marker.js'
import type { DeleteMeans, Refusal } from './means.js'

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const PUT_BACK_MS = 60_000

/**
 * Undoes what was done before the first object was removed. What fails here is left to the marker.
 *
 * @returns whether it is undone; false where another delete came to decide meanwhile
 */
export async function takeBack(
  means: DeleteMeans,
  { target, metadata }: Found,
  own: StoredMarker | undefined,
  refusal: Refusal,
): Promise<boolean> {
  const options = putBackOptions()
  const { store } = means
  const { container, prefix } = target
  try {
    if (metadata && !(await store.objectExists(container, metadataObjectName(prefix), options))) {
      await assertWhole(store, target, metadata, options)
      await assertOnlyOfId(store, target, options)
      const writerOptions = { ...options, extraMetadata: null }
      await writeObject(store, container, metadataObjectName(prefix), bytesBody(metadata), writerOptions)
    }
    if (!own) return true
    // One that came to decide since the last look may have removed the backup: what was put back is then no backup.
    const markers = await listMarkers(store, target, options)
    const { readable } = markers
    if (
      readable.some((other) => outranks(other, own)) ||
      !(await isThere(store, target, own, markers, options))
    ) {
      await store.deleteObject(container, metadataObjectName(prefix), options)
      return false
    }
    // A removal that arrives after all is then finished by the next delete, or put back.
    if (!refusal.mayStillBeRemoved) await removeOwn({ ...means, options }, target, own)
    return true
  } catch (cause) {
    throw notPutBack(target, refusal.error, cause)
  }
}

/** A backup of which another delete has removed objects must not be shown as one again. */
async function assertWhole(
  store: ObjectStore,
  { id, container, prefix }: DeleteTarget,
  bytes: Uint8Array,
  options: StoreOptions,
): Promise<void> {
  const where = { container, objectName: metadataObjectName(prefix) }
  const metadata = await parseMetadata(bytesBody(bytes).stream(), where).catch((error: unknown) => {
    // Damaged as it was before.
    if (isUnreadable(error)) return undefined
    throw error
  })
  const { own } = await listBackupObjects(store, container, prefix, options)
  for (const { name } of metadata?.objects ?? []) {
    if (own.has(name) || (await store.objectExists(container, name, options))) continue
    throw new BackupError('OBJECT_MISSING', `Another delete of backup ${id} has removed ${name} already.`, {
      ...{ backupId: id, container, objectName: name },
    })
  }
}

/** Another run may have made a backup of this id since `_metadata` was removed: nobody could tell the two apart. */
async function assertOnlyOfId(
  store: ObjectStore,
  { id, container, prefix }: DeleteTarget,
  options: StoreOptions,
): Promise<void> {
  for await (const objectName of store.getContainerEntries(container, '', options)) {
    const other = prefixOfMetadataObject(objectName)
    if (other === null || other === prefix || !other.endsWith(id)) continue
    const metadata = await readMetadataAt(store, { container, objectName }, options).catch(
      (error: unknown) => {
        if (isUnreadable(error) || isBackupError(error, 'OBJECT_MISSING')) return undefined
        throw error
      },
    )
    if (metadata?.backupId !== id) continue
    throw new BackupError('CONFLICT', `There is another backup ${id} by now, ${other}.`, {
      backupId: id,
      container,
    })
  }
}

export function notPutBack({ id, container }: DeleteTarget, failure: Error, cause: unknown): BackupError {
  return new BackupError(
    'DELETE_INCOMPLETE',
    `${failure.message} Backup ${id} has no metadata now, and it could not be put back. Delete it again: what depends on it is ` +
      'searched, and the delete is finished or taken back.',
    { backupId: id, container, cause },
  )
}

export function putBackOptions(): StoreOptions {
  return { signal: AbortSignal.timeout(PUT_BACK_MS) }
}

/** Whether a marker is there still: by the listing, or by a question, since listings may lag. */
export async function isThere(
  store: ObjectStore,
  { container }: DeleteTarget,
  { token, objectName }: StoredMarker,
  { readable, damaged }: Markers,
  options: StoreOptions,
): Promise<boolean> {
  if (readable.some((marker) => marker.token === token) || damaged.includes(objectName)) return true
  return store.objectExists(container, objectName, options)
}

export async function removeOwn(
  { store, options }: DeleteMeans,
  { container }: DeleteTarget,
  own: StoredMarker | undefined,
): Promise<void> {
  if (own) await store.deleteObject(container, own.objectName, options)
}

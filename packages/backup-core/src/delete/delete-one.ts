import { randomUUID } from 'node:crypto'
import type { BackupCatalog } from '../catalog/catalog.js'
import { isUnreadable } from '../catalog/list-container.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { BackupErrorCode } from '../errors/codes.js'
import type { DeletionMarker } from '../format/deletion-marker.js'
import { metadataObjectName } from '../format/object-names.js'
import type { ProgressMeter } from '../progress/progress-meter.js'
import type { WarningListener } from '../progress/progress.js'
import { listBackupObjects } from '../store/list-objects.js'
import { readBytes } from '../store/read-object.js'
import { bytesBody, writeObject } from '../store/write-object.js'
import type { DeleteTarget } from './dependents.js'
import { markerPlace, readMarker, writeMarker } from './marker.js'
import { removeObjects } from './remove-objects.js'

/** What one backup is deleted with. */
export interface DeleteMeans {
  readonly store: ObjectStore
  readonly catalog: BackupCatalog
  readonly onWarning: WarningListener
  readonly meter: ProgressMeter
  readonly options: StoreOptions
  /** Rejects where a backup that depends on the target exists, or may exist. Searches anew each time. */
  readonly assertNoDependents: (target: DeleteTarget) => Promise<void>
}

/** A backup that is to be deleted, as the store has it. */
interface Found {
  readonly target: DeleteTarget
  /** Whether its `_metadata` is there, readable or not. */
  readonly committed: boolean
  /** The bytes of `_metadata`; null where they cannot be had. */
  readonly metadata: Uint8Array | null
  /** Of an earlier delete that did not finish. */
  readonly marker: DeletionMarker | undefined
}

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const PUT_BACK_MS = 60_000

/**
 * Deletes one backup, so that a delete that is interrupted anywhere can be finished, and an incremental that is committed
 * meanwhile keeps its parent:
 *
 * 1. A marker with the bytes of `_metadata` is written.
 * 2. `_metadata` is removed: from here on no incremental on it can be committed, since a commit checks its parent last.
 * 3. Dependents are searched once more. One that was committed before step 2 is found: `_metadata` is put back.
 * 4. The other objects are removed, and the marker last.
 */
export async function deleteOne(means: DeleteMeans, target: DeleteTarget): Promise<void> {
  const found = await findInStore(means, target)
  const { store, options } = means
  const { container } = target
  if (found.marker && found.marker.prefix !== target.prefix) {
    // Two sets of objects under one id: their markers have one name, so the one that was begun is finished first.
    await deleteOne(means, { id: target.id, container, prefix: found.marker.prefix })
    return deleteOne(means, target)
  }
  const token = randomUUID()
  const marked = await mark(means, found, token)
  try {
    await store.deleteObject(container, metadataObjectName(target.prefix), options)
    if (found.committed) means.meter.add({ done: 1, objects: 1 })
    await means.assertNoDependents(target)
    if (marked) await assertOwnMarker(means, target, token)
  } catch (error) {
    await takeBack(means, found, { token, marked }, error)
    throw error
  }
  await means.catalog.remove(target.id, options)
  await removeObjects(means, target, found.metadata)
  if (marked) await removeMarker(means, target)
}

/**
 * Takes an unfinished delete back, where one was begun: puts `_metadata` back, and removes the marker. Leaves a backup of
 * which `_metadata` cannot be put back as it is.
 */
export async function takeBackUnfinished(means: DeleteMeans, target: DeleteTarget): Promise<void> {
  const found = await findInStore(means, target)
  if (found.marker?.prefix !== target.prefix) return
  await takeBack(means, found, { token: found.marker.token, marked: true }, undefined)
}

async function findInStore({ store, options }: DeleteMeans, target: DeleteTarget): Promise<Found> {
  const { container, prefix } = target
  const marker = await readMarker(store, markerPlace(target), options).catch((error: unknown) => {
    // A damaged one is written anew.
    if (isUnreadable(error)) return undefined
    throw error
  })
  try {
    const metadata = await readBytes(store, container, metadataObjectName(prefix), options)
    return { target, committed: true, metadata, marker }
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) {
      const bytes = marker?.prefix === prefix && marker.metadata.byteLength > 0 ? marker.metadata : null
      return { target, committed: false, metadata: bytes, marker }
    }
    if (!isUnreadable(error) && !isBackupError(error, 'STORE_FAILED')) throw error
    return { target, committed: true, metadata: null, marker }
  }
}

/** Codes of a store that is full: a backup must be deletable all the same, which makes room. */
const fullCodes: readonly BackupErrorCode[] = ['NO_SPACE', 'QUOTA_EXCEEDED']

/** Writes the marker, as this run's own. @returns whether there is one now */
async function mark(
  { store, options, onWarning }: DeleteMeans,
  { target, committed, metadata }: Found,
  token: string,
): Promise<boolean> {
  const { id, container, prefix } = target
  if (!committed && metadata === null) {
    const { own } = await listBackupObjects(store, container, prefix, options)
    if (own.size === 0) return false
  }
  try {
    const marker = { backupId: id, prefix, token, metadata: metadata ?? new Uint8Array() }
    await writeMarker(store, container, marker, options)
    return true
  } catch (error) {
    if (!fullCodes.some((code) => isBackupError(error, code))) throw error
    onWarning({
      code: 'DELETE_NOT_MARKED',
      message:
        `The store is full, so that the delete of backup ${id} cannot be marked as begun. ` +
        'If it is interrupted, delete the backup again with `force`.',
      backupId: id,
    })
    return false
  }
}

/** Another delete of this backup takes the marker over, and decides what becomes of it. */
async function assertOwnMarker(
  { store, options }: DeleteMeans,
  target: DeleteTarget,
  token: string,
): Promise<void> {
  const marker = await readMarker(store, markerPlace(target), options)
  if (marker?.token === token) return
  throw new BackupError(
    'CONFLICT',
    `Another delete of backup ${target.id} runs at the same time. Wait until it ends; if it fails, delete the backup again.`,
    { backupId: target.id, container: target.container },
  )
}

/** Undoes what was done before the first object was removed. What fails here is left to the marker. */
async function takeBack(
  means: DeleteMeans,
  { target, metadata }: Found,
  { token, marked }: { readonly token: string; readonly marked: boolean },
  failure: unknown,
): Promise<void> {
  const options: StoreOptions = { signal: AbortSignal.timeout(PUT_BACK_MS) }
  const { store } = means
  const { id, container, prefix } = target
  try {
    const marker = await readMarker(store, markerPlace(target), options)
    // Another delete took the marker over, and decides; or it has finished, and there is nothing to put back.
    if (marked ? marker?.token !== token : marker !== undefined) return
    if (metadata && !(await store.objectExists(container, metadataObjectName(prefix), options))) {
      const writerOptions = { ...options, extraMetadata: null }
      await writeObject(store, container, metadataObjectName(prefix), bytesBody(metadata), writerOptions)
    }
    await removeMarker({ ...means, options }, target)
  } catch (cause) {
    const why = failure instanceof Error ? `${failure.message} ` : ''
    throw new BackupError(
      'DELETE_INCOMPLETE',
      `${why}Backup ${id} has no metadata now, and it could not be put back. Delete it again: what depends on it is ` +
        'searched, and the delete is finished or taken back.',
      { backupId: id, container, cause },
    )
  }
}

async function removeMarker({ store, options }: DeleteMeans, target: DeleteTarget): Promise<void> {
  await store.deleteObject(target.container, markerPlace(target).objectName, options)
}

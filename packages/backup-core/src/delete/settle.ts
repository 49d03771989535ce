import { isUnreadable } from '../catalog/store-places.js'
import { readMetadataAt } from '../chain/chain.js'
import type { StoreOptions } from '../contracts/object-store.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { metadataObjectName, prefixOfMetadataObject } from '../format/object-names.js'
import { bytesBody, controlObjectNames, listBackupObjects, writeObject } from '../store/objects.js'
import { hasObjects, type DeleteTarget, type Found } from './find-target.js'
import {
  isStored,
  listMarkers,
  mark,
  outranks,
  parseIfReadable,
  rewriteMarker,
  type Markers,
  type StoreAccess,
  type StoredMarker,
} from './marker.js'
import type { DeleteContext, Refusal } from './run-delete.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'

/** How often a delete begins anew because another delete of the same backup intervened. */
const MAX_ROUNDS = 20

/** How long a delete waits for another one of the same backup that decides; and how often it checks. */
const OTHER_DELETE_MS = 10_000
const CHECK_INTERVAL_MS = 250

/**
 * Marks a backup, and removes it or puts it back.
 *
 * @param decide - returns the reason why the backup must be kept. It is called with the name of this delete's marker, and
 *   again after another delete intervened
 * @throws that reason
 */
export async function settle(
  context: DeleteContext,
  found: Found,
  decide: (markerName: string | undefined) => Promise<Refusal | undefined>,
): Promise<void> {
  const { store } = context
  const { target, metadata } = found
  const hasAny = found.committed || metadata !== null || found.hadObjects
  const markAmong = async (others: readonly StoredMarker[], options: StoreOptions) =>
    hasAny || others.length > 0 ? mark({ ...context, options }, target, metadata, others) : undefined
  let own = await markAmong(found.markers.readable, context.options)
  for (let rounds = 1; rounds <= MAX_ROUNDS; rounds += 1) {
    const refusal = await decide(own?.objectName)
    const options = refusal === undefined ? context.options : putBackOptions()
    const access = { store, options }
    if (own && refusal === undefined) await rewriteMarker(context, target, { ...own, removing: true })
    const markers = await listMarkers(access, target).catch((cause: unknown) => {
      throw refusal === undefined ? cause : notPutBack(target, refusal.error, cause)
    })
    const others = markers.readable.filter(({ token }) => token !== own?.token)
    if (own && !(await isStored(access, target, own, markers))) {
      // A delete removes another's marker only after it removed all other objects.
      if (!(await hasObjects(access, target))) return
      own = await markAmong(others, options)
      continue
    }
    // What another delete removes is not put back, even where that delete seems to have been killed: it may continue.
    const isInTheWay = (other: StoredMarker): boolean =>
      !own || outranks(other, own) || (refusal !== undefined && other.removing)
    if (others.some(isInTheWay)) {
      if (own && refusal === undefined) await rewriteMarker(context, target, own)
      if (isBackupError(refusal?.error, 'ABORTED')) throw refusal.error
      if (await untilNone(context, target, isInTheWay, own)) continue
      if (refusal === undefined) throw conflict(target)
      throw others.some(({ removing }) => removing)
        ? notPutBack(target, refusal.error, conflict(target))
        : refusal.error
    }
    if (refusal !== undefined) {
      if (!(await putBack(store, found, own, refusal))) continue
      throw refusal.error
    }
    if (await store.objectExists(target.container, metadataObjectName(target.prefix), options)) {
      // Put back by another delete since it was removed.
      if (own) await rewriteMarker(context, target, own)
      continue
    }
    await context.catalog.remove(target.id, options)
    await removeObjects(context, target, metadata)
    await removeMarkers(context, target, markers, own)
    return
  }
  throw conflict(target)
}

/** Waits until no marker of another delete is in the way. @returns whether that happened in time */
async function untilNone(
  access: StoreAccess,
  target: DeleteTarget,
  isInTheWay: (other: StoredMarker) => boolean,
  own: StoredMarker | undefined,
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < OTHER_DELETE_MS; waitedMs += CHECK_INTERVAL_MS) {
    await new Promise<void>((resolve) => setTimeout(resolve, CHECK_INTERVAL_MS))
    const { readable } = await listMarkers(access, target)
    if (!readable.some((other) => other.token !== own?.token && isInTheWay(other))) return true
  }
  return false
}

/** Returns the error for a backup that another delete decides about. */
export function conflict({ id, container }: DeleteTarget): BackupError {
  return new BackupError(
    'CONFLICT',
    `Cannot delete backup ${id}: another delete of it is running, or was killed. Wait until it ends, then delete the backup again.`,
    { backupId: id, container },
  )
}

/** Removes the markers of all deletes of a backup of which nothing else is left, this delete's own last. */
async function removeMarkers(
  { store, options }: StoreAccess,
  { container }: DeleteTarget,
  { readable, damaged }: Markers,
  own: StoredMarker | undefined,
): Promise<void> {
  const others = readable.map(({ objectName }) => objectName).filter((name) => name !== own?.objectName)
  for (const objectName of [...damaged, ...others, ...(own ? [own.objectName] : [])]) {
    await store.deleteObject(container, objectName, options)
  }
}

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const PUT_BACK_MS = 60_000

function putBackOptions(): StoreOptions {
  return { signal: AbortSignal.timeout(PUT_BACK_MS) }
}

/**
 * Undoes a delete that has removed no object but `_metadata`. Where that fails, the marker stays for the next delete.
 *
 * @returns whether it is undone; false where another delete decides now
 */
async function putBack(
  store: StoreAccess['store'],
  { target, metadata }: Found,
  own: StoredMarker | undefined,
  refusal: Refusal,
): Promise<boolean> {
  const options = putBackOptions()
  const access = { store, options }
  const { container, prefix } = target
  const objectName = metadataObjectName(prefix)
  try {
    if (metadata && !(await store.objectExists(container, objectName, options))) {
      await assertWhole(access, target, metadata)
      await assertOnlyOfId(access, target)
      const writerOptions = { ...options, extraMetadata: null }
      await writeObject(store, container, objectName, bytesBody(metadata), writerOptions)
    }
    if (!own) return true
    // A delete that decides since the last check may have removed the backup: then `_metadata` must not be put back.
    const markers = await listMarkers(access, target)
    const isOutranked = markers.readable.some((other) => outranks(other, own))
    if (isOutranked || !(await isStored(access, target, own, markers))) {
      await store.deleteObject(container, objectName, options)
      return false
    }
    // Where the removal of `_metadata` may still arrive, the marker stays: the next delete finishes it, or puts it back.
    if (!refusal.mayStillBeRemoved) await store.deleteObject(container, own.objectName, options)
    return true
  } catch (cause) {
    throw notPutBack(target, refusal.error, cause)
  }
}

/** Rejects a backup of which another delete has removed objects: it must not become visible again. */
async function assertWhole(
  { store, options }: StoreAccess,
  target: DeleteTarget,
  bytes: Uint8Array,
): Promise<void> {
  const { id, container, prefix } = target
  // Undefined where it was damaged before the delete.
  const metadata = await parseIfReadable(bytes, target)
  const { own } = await listBackupObjects(store, container, prefix, options)
  for (const { name } of metadata?.objects ?? []) {
    if (own.has(name) || (await store.objectExists(container, name, options))) continue
    throw new BackupError('OBJECT_MISSING', `Another delete of backup ${id} has removed ${name} already.`, {
      ...{ backupId: id, container, objectName: name },
    })
  }
}

/** Rejects an id that another run has used since `_metadata` was removed: the two backups could not be distinguished. */
async function assertOnlyOfId(
  { store, options }: StoreAccess,
  { id, container, prefix }: DeleteTarget,
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
    const message = `Another backup with the id ${id} was made meanwhile, with the prefix ${other}.`
    throw new BackupError('CONFLICT', message, { backupId: id, container })
  }
}

function notPutBack({ id, container }: DeleteTarget, failure: Error, cause: unknown): BackupError {
  return new BackupError(
    'DELETE_INCOMPLETE',
    `${failure.message} The metadata of backup ${id} was removed, and could not be put back. Delete the backup again: ` +
      'its dependents are searched again, and the delete is finished or undone.',
    { backupId: id, container, cause },
  )
}

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

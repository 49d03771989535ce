import { readMetadataAt } from '../chain/chain.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { metadataObjectName, prefixOfMetadataObject } from '../format/object-names.js'
import { controlObjectNames, ifReadable, StoreAccess } from '../store/access.js'
import { bytesBody } from '../store/objects.js'
import { hasObjects, type DeleteTarget, type Found } from './find-target.js'
import {
  listMarkers,
  mark,
  outranks,
  parseIfReadable,
  putMarker,
  type Marker,
  type Markers,
} from './marker.js'
import type { DeleteContext, Refusal } from './run-delete.js'

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
  const { target, metadata } = found
  const { container } = target
  const hasAny = found.committed || metadata !== null || found.hadObjects
  const markAmong = async (others: readonly Marker[], access: StoreAccess) =>
    hasAny || others.length > 0 ? mark(access, target, metadata, others, context.onWarning) : undefined
  let own = await markAmong(found.markers.readable, context.access)
  for (let rounds = 1; rounds <= MAX_ROUNDS; rounds += 1) {
    const refusal = await decide(own?.objectName)
    const access = refusal === undefined ? context.access : accessToPutBack(context.access)
    if (own && refusal === undefined) await putMarker(access, container, { ...own, removing: true })
    const markers = await listMarkers(access, target).catch((cause: unknown) => {
      throw refusal === undefined ? cause : notPutBack(target, refusal.error, cause)
    })
    const others = markers.readable.filter(({ token }) => token !== own?.token)
    if (own && !(await isStored(access, container, own, markers))) {
      // A delete removes another's marker only after it removed all other objects.
      if (!(await hasObjects(access, target))) return
      own = await markAmong(others, access)
      continue
    }
    // What another delete removes is not put back, even where that delete seems to have been killed: it may continue.
    const isInTheWay = (other: Marker): boolean =>
      !own || outranks(other, own) || (refusal !== undefined && other.removing)
    if (others.some(isInTheWay)) {
      if (own && refusal === undefined) await putMarker(access, container, own)
      if (isBackupError(refusal?.error, 'ABORTED')) throw refusal.error
      if (await untilNone(context.access, target, isInTheWay, own)) continue
      if (refusal === undefined) throw conflict(target)
      throw others.some(({ removing }) => removing)
        ? notPutBack(target, refusal.error, conflict(target))
        : refusal.error
    }
    if (refusal !== undefined) {
      if (!(await putBack(context.access, found, own, refusal))) continue
      throw refusal.error
    }
    if (await access.exists(container, metadataObjectName(target.prefix))) {
      // Put back by another delete since it was removed.
      if (own) await putMarker(access, container, own)
      continue
    }
    await context.catalog.remove(target.id, access.options)
    await removeObjects(context, target, metadata)
    // The markers of all deletes: nothing else of the backup is left. This delete's own comes last.
    const names = markers.readable
      .map(({ objectName }) => objectName)
      .filter((name) => name !== own?.objectName)
    for (const objectName of [...markers.damaged, ...names, ...(own ? [own.objectName] : [])])
      await access.delete(container, objectName)
    return
  }
  throw conflict(target)
}

/** Whether a marker still exists: by the listing, or by a request, since listings may lag. */
async function isStored(
  access: StoreAccess,
  container: string,
  marker: Marker,
  listed: Markers,
): Promise<boolean> {
  const { objectName } = marker
  const isListed = listed.readable.some(({ token }) => token === marker.token)
  return isListed || listed.damaged.includes(objectName) || access.exists(container, objectName)
}

/** Waits until no marker of another delete is in the way. @returns whether that happened in time */
async function untilNone(
  access: StoreAccess,
  target: DeleteTarget,
  isInTheWay: (other: Marker) => boolean,
  own: Marker | undefined,
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

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const PUT_BACK_MS = 60_000

function accessToPutBack({ store }: StoreAccess): StoreAccess {
  return new StoreAccess(store, { signal: AbortSignal.timeout(PUT_BACK_MS) })
}

/**
 * Undoes a delete that has removed no object but `_metadata`. Where that fails, the marker stays for the next delete.
 *
 * @returns whether it is undone; false where another delete decides now
 */
async function putBack(
  context: StoreAccess,
  { target, metadata }: Found,
  own: Marker | undefined,
  refusal: Refusal,
): Promise<boolean> {
  const access = accessToPutBack(context)
  const { container, prefix } = target
  const objectName = metadataObjectName(prefix)
  try {
    if (metadata && !(await access.exists(container, objectName))) {
      await assertWhole(access, target, metadata)
      await assertOnlyOfId(access, target)
      await access.write(container, objectName, bytesBody(metadata))
    }
    if (!own) return true
    // A delete that decides since the last check may have removed the backup: then `_metadata` must not be put back.
    const markers = await listMarkers(access, target)
    const isOutranked = markers.readable.some((other) => outranks(other, own))
    if (isOutranked || !(await isStored(access, container, own, markers))) {
      await access.delete(container, objectName)
      return false
    }
    // Where the removal of `_metadata` may still arrive, the marker stays: the next delete finishes it, or puts it back.
    if (!refusal.mayStillBeRemoved) await access.delete(container, own.objectName)
    return true
  } catch (cause) {
    throw notPutBack(target, refusal.error, cause)
  }
}

/** Rejects a backup of which another delete has removed objects: it must not become visible again. */
async function assertWhole(access: StoreAccess, target: DeleteTarget, bytes: Uint8Array): Promise<void> {
  const { id, container } = target
  // Undefined where it was damaged before the delete.
  const metadata = await parseIfReadable(bytes, target)
  const { own } = await access.list(target)
  for (const { name } of metadata?.objects ?? []) {
    if (own.has(name) || (await access.exists(container, name))) continue
    const message = `Another delete of backup ${id} has removed ${name} already.`
    throw new BackupError('OBJECT_MISSING', message, { backupId: id, container, objectName: name })
  }
}

/** Rejects an id that another run has used since `_metadata` was removed: the two backups could not be distinguished. */
async function assertOnlyOfId(access: StoreAccess, { id, container, prefix }: DeleteTarget): Promise<void> {
  for await (const objectName of access.names(container)) {
    const other = prefixOfMetadataObject(objectName)
    if (other === null || other === prefix || !other.endsWith(id)) continue
    const metadata = await ifReadable(readMetadataAt(access, { container, objectName }))
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
async function removeObjects(
  { access, meter }: DeleteContext,
  target: DeleteTarget,
  metadata: Uint8Array | null,
): Promise<void> {
  const { id, container, prefix } = target
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const manifest = await parseIfReadable(metadata, target)
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
  throw new BackupError(
    'DELETE_INCOMPLETE',
    `Backup ${id} is no longer available, but ${what}. Delete it again to remove them.`,
    { backupId: id, container, leftovers, cause },
  )
}

import { BackupError, isBackupError } from '../errors/backup-error.js'
import { metadataObjectName, prefixOfMetadataObject } from '../format/object-names.js'
import type { DeleteTarget } from './dependents.js'
import { hasObjects, type Found } from './find-target.js'
import { isFull, listMarkers, mark, outranks, putMarker, type Markers, type StoredMarker } from './marker.js'
import type { DeleteMeans, Refusal } from './run-delete.js'
import { removeObjects } from './remove-objects.js'
import { isUnreadable } from '../catalog/list-container.js'
import { readMetadataAt } from '../chain/chain.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { parseMetadata } from '../format/metadata-reader.js'
import { bytesBody, listBackupObjects, writeObject } from '../store/objects.js'

/** How often a delete begins anew because others of the same backup had their turn. */
const ROUNDS = 20

/** How long a delete waits for another one of the same backup that decides; and how often it looks. */
const OTHER_DELETE_MS = 10_000
const LOOK_AGAIN_MS = 250

/**
 * Marks a backup, and removes it or takes it back.
 *
 * @param decide - gives the reason why the backup must be kept. It is given the name of this delete's marker, and is asked
 *   again after another delete had its turn
 * @throws that reason
 */
export async function settle(
  means: DeleteMeans,
  found: Found,
  decide: (markerName: string | undefined) => Promise<Refusal | undefined>,
): Promise<void> {
  const { store } = means
  const { target } = found
  let own = await mark(means, found, found.markers.readable)
  for (let rounds = 1; rounds <= ROUNDS; rounds += 1) {
    const refusal = await decide(own?.objectName)
    const options = refusal === undefined ? means.options : putBackOptions()
    if (own && refusal === undefined) await rewrite(means, target, { ...own, removing: true })
    const markers = await listMarkers(store, target, options).catch((cause: unknown) => {
      throw refusal === undefined ? cause : notPutBack(target, refusal.error, cause)
    })
    const others = markers.readable.filter(({ token }) => token !== own?.token)
    if (own && !(await isThere(store, target, own, markers, options))) {
      // Only a delete that removed all else removes another's marker.
      if (!(await hasObjects(store, target, options))) return
      own = await mark({ ...means, options }, found, others)
      continue
    }
    const isAhead = (other: StoredMarker): boolean => !own || outranks(other, own)
    // What another delete removes is not put back, also where that delete seems to have been killed: it may go on.
    const isInTheWay = (other: StoredMarker): boolean =>
      isAhead(other) || (refusal !== undefined && other.removing)
    if (others.some(isInTheWay)) {
      if (own && refusal === undefined) await rewrite(means, target, own)
      if (isBackupError(refusal?.error, 'ABORTED')) throw refusal.error
      if (await untilNone(means, target, isInTheWay, own)) continue
      if (refusal === undefined) throw conflict(target)
      throw others.some(({ removing }) => removing)
        ? notPutBack(target, refusal.error, conflict(target))
        : refusal.error
    }
    if (refusal !== undefined) {
      if (!(await takeBack(means, found, own, refusal))) continue
      throw refusal.error
    }
    if (await store.objectExists(target.container, metadataObjectName(target.prefix), options)) {
      // Put back by another delete since it was removed.
      if (own) await rewrite(means, target, own)
      continue
    }
    await means.catalog.remove(target.id, options)
    await removeObjects(means, target, found.metadata)
    await removeMarkers(means, target, markers, own)
    return
  }
  throw conflict(target)
}

/** Writes a marker anew. On a full store the old one must do. */
async function rewrite(
  { store, options }: DeleteMeans,
  { container }: DeleteTarget,
  marker: StoredMarker,
): Promise<void> {
  try {
    await putMarker(store, container, marker, options)
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** Waits until no marker of another delete is in the way. @returns whether it came to that */
async function untilNone(
  { store, options }: DeleteMeans,
  target: DeleteTarget,
  isInTheWay: (other: StoredMarker) => boolean,
  own: StoredMarker | undefined,
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < OTHER_DELETE_MS; waitedMs += LOOK_AGAIN_MS) {
    await new Promise<void>((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    const { readable } = await listMarkers(store, target, options)
    if (!readable.some((other) => other.token !== own?.token && isInTheWay(other))) return true
  }
  return false
}

/** The error for a backup that another delete decides about. */
export function conflict({ id, container }: DeleteTarget): BackupError {
  return new BackupError(
    'CONFLICT',
    `Another delete of backup ${id} runs at the same time, or was killed. Wait until it ends, then delete the backup again.`,
    { backupId: id, container },
  )
}

/** Nothing is left of the backup: the markers of all its deletes go, this one's last. */
async function removeMarkers(
  means: DeleteMeans,
  target: DeleteTarget,
  { readable, damaged }: Markers,
  own: StoredMarker | undefined,
): Promise<void> {
  const others = readable.map(({ objectName }) => objectName).filter((name) => name !== own?.objectName)
  for (const objectName of [...damaged, ...others]) {
    await means.store.deleteObject(target.container, objectName, means.options)
  }
  await removeOwn(means, target, own)
}

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

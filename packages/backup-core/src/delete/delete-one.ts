import type { BackupCatalog } from '../catalog/catalog.js'
import { isUnreadable } from '../catalog/list-container.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { BackupErrorCode } from '../errors/codes.js'
import { metadataObjectName } from '../format/object-names.js'
import type { ProgressMeter } from '../progress/progress-meter.js'
import type { WarningListener } from '../progress/progress.js'
import { listBackupObjects } from '../store/list-objects.js'
import { readBytes } from '../store/read-object.js'
import { bytesBody, writeObject } from '../store/write-object.js'
import type { DeleteTarget } from './dependents.js'
import { listMarkers, outranks, putMarker, writeMarker, type Markers, type StoredMarker } from './marker.js'
import { manifestNames, removeObjects } from './remove-objects.js'

/** What one backup is deleted with. */
export interface DeleteMeans {
  readonly store: ObjectStore
  readonly catalog: Pick<BackupCatalog, 'remove'>
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
  /** Of other deletes: killed ones, or ones that run now. */
  readonly markers: Markers
}

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const PUT_BACK_MS = 60_000

/** How often it is looked whether `_metadata` or a marker with its bytes is there, before there is neither. */
const LOOKS = 3

/** How often a delete begins anew because others of the same backup had their turn. */
const ROUNDS = 20

/** How long a delete waits for another one of the same backup that decides; and how often it looks. */
const OTHER_DELETE_MS = 10_000
const LOOK_AGAIN_MS = 250

/**
 * Deletes one backup, so that a delete that is interrupted anywhere can be finished, and an incremental that is committed
 * meanwhile keeps its parent:
 *
 * 1. A marker of this delete's own, with the bytes of `_metadata`, is written.
 * 2. `_metadata` is removed: from here on no incremental on it can be committed, since a commit checks its parent last.
 * 3. Dependents are searched once more. One that was committed before step 2 is found: `_metadata` is put back, and the
 *    marker removed.
 * 4. The marker is written again, and says that objects are being removed. They are, and the markers last.
 *
 * Of deletes that run at the same time one decides: each looks for the others' markers after it has written its own, before
 * it puts anything back or removes it. A marker is removed by its own delete, or by one that removed all else: so the bytes
 * of `_metadata` are in the store as long as they may be needed.
 */
export async function deleteOne(means: DeleteMeans, target: DeleteTarget): Promise<void> {
  const found = await findInStore(means, target)
  let counted = !found.committed
  await settle(means, found, async () => {
    const refusal = await hide(means, found)
    if (!counted && refusal === undefined) {
      means.meter.add({ done: 1, objects: 1 })
      counted = true
    }
    return refusal
  })
}

/**
 * Puts `_metadata` back where an unfinished delete removed it, and has removed nothing else.
 *
 * @param refusal - why the backup must be kept
 */
export async function takeBackUnfinished(
  means: DeleteMeans,
  target: DeleteTarget,
  refusal: unknown,
): Promise<void> {
  const found = await findInStore(means, target)
  if (found.committed || found.markers.readable.length === 0) return
  await settle(means, found, () => Promise.resolve(refusal))
}

/**
 * Marks a backup, and removes it or takes it back.
 *
 * @param decide - gives the reason why the backup must be kept; it is asked again after another delete had its turn
 * @throws that reason
 */
async function settle(means: DeleteMeans, found: Found, decide: () => Promise<unknown>): Promise<void> {
  const { store } = means
  const { target } = found
  let own = await mark(means, found, found.markers.readable)
  let mayBeRemoving = true
  for (let rounds = 1; rounds <= ROUNDS; rounds += 1) {
    const refusal = await decide()
    const options = refusal === undefined ? means.options : putBackOptions()
    if (own && refusal === undefined) await rewrite(means, target, { ...own, removing: true })
    const markers = await listMarkers(store, target, options).catch((cause: unknown) => {
      throw refusal === undefined ? cause : notPutBack(target, refusal, cause)
    })
    const others = markers.readable.filter(({ token }) => token !== own?.token)
    if (own && !(await isThere(store, target, own, markers, options))) {
      // Only a delete that removed all else removes another's marker.
      if (!(await hasObjects(store, target, options))) return
      own = await mark({ ...means, options }, found, others)
      continue
    }
    const isAhead = (other: StoredMarker): boolean => !own || outranks(other, own)
    // What another delete removes cannot be put back, unless it was killed.
    const isInTheWay = (other: StoredMarker): boolean =>
      isAhead(other) || (refusal !== undefined && mayBeRemoving && other.removing)
    if (others.some(isInTheWay)) {
      if (own && refusal === undefined) await rewrite(means, target, own)
      if (isBackupError(refusal, 'ABORTED')) throw refusal
      if (await untilNone(means, target, isInTheWay, own)) continue
      if (others.some(isAhead)) throw refusal ?? conflict(target)
      mayBeRemoving = false
      continue
    }
    if (refusal !== undefined) {
      if (!(await isWhole(store, found, options))) {
        // Another delete has removed it, and saw no reason to keep it.
        await removeOwn({ ...means, options }, target, own)
        if (await hasObjects(store, target, options)) throw refusal
        return
      }
      if (!(await takeBack(means, found, own, refusal))) continue
      throw refusal
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

/** Whether a marker is there still: by the listing, or by a question, since listings may lag. */
async function isThere(
  store: ObjectStore,
  { container }: DeleteTarget,
  { token, objectName }: StoredMarker,
  { readable, damaged }: Markers,
  options: StoreOptions,
): Promise<boolean> {
  if (readable.some((marker) => marker.token === token) || damaged.includes(objectName)) return true
  return store.objectExists(container, objectName, options)
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

/** Removes `_metadata`, then looks for dependents. @returns the reason why the backup must be kept */
async function hide(means: DeleteMeans, { target, committed, metadata }: Found): Promise<unknown> {
  const { store, options } = means
  const { container, prefix } = target
  try {
    // Its bytes are in the marker, or cannot be had. One that came back since is not to be lost.
    if (committed || metadata) await store.deleteObject(container, metadataObjectName(prefix), options)
    else if (await store.objectExists(container, metadataObjectName(prefix), options)) throw conflict(target)
    await means.assertNoDependents(target)
    return undefined
  } catch (error) {
    return error
  }
}

async function findInStore({ store, options }: DeleteMeans, target: DeleteTarget): Promise<Found> {
  const { container, prefix } = target
  for (let looks = 1; ; looks += 1) {
    try {
      const metadata = await readBytes(store, container, metadataObjectName(prefix), options)
      return { target, committed: true, metadata, markers: await listMarkers(store, target, options) }
    } catch (error) {
      if (!isBackupError(error, 'OBJECT_MISSING')) {
        if (!isUnreadable(error) && !isBackupError(error, 'STORE_FAILED')) throw error
        return { target, committed: true, metadata: null, markers: await listMarkers(store, target, options) }
      }
      // After `_metadata` was found missing: the delete that removed it wrote its marker before.
      const markers = await listMarkers(store, target, options)
      const bytes = markers.readable.find(({ metadata }) => metadata.byteLength > 0)?.metadata ?? null
      // Without any, that delete may have put `_metadata` back between the two looks.
      if (bytes !== null || looks === LOOKS) return { target, committed: false, metadata: bytes, markers }
    }
  }
}

/** Codes of a store that is full: a backup must be deletable all the same, which makes room. */
const fullCodes: readonly BackupErrorCode[] = ['NO_SPACE', 'QUOTA_EXCEEDED']

function isFull(error: unknown): boolean {
  return fullCodes.some((code) => isBackupError(error, code))
}

/** Writes this delete's marker; on a full store it takes over the highest of the others. */
async function mark(
  { store, options, onWarning }: DeleteMeans,
  { target, committed, metadata }: Found,
  others: readonly StoredMarker[],
): Promise<StoredMarker | undefined> {
  if (!committed && metadata === null && others.length === 0 && !(await hasObjects(store, target, options)))
    return undefined
  try {
    return await writeMarker(store, target, metadata ?? new Uint8Array(), others, options)
  } catch (error) {
    if (!isFull(error)) throw error
    const [first, ...rest] = others
    if (first) return rest.reduce((highest, other) => (outranks(other, highest) ? other : highest), first)
    onWarning({
      code: 'DELETE_NOT_MARKED',
      message:
        `The store is full, so that the delete of backup ${target.id} cannot be marked as begun. ` +
        'If it is interrupted, delete the backup again with `force`.',
      backupId: target.id,
    })
    return undefined
  }
}

async function hasObjects(
  store: ObjectStore,
  { container, prefix }: DeleteTarget,
  options: StoreOptions,
): Promise<boolean> {
  const { own } = await listBackupObjects(store, container, prefix, options)
  return own.size > 0
}

/** Whether all objects are there that the manifest names. What of a damaged one is there is all that is known. */
async function isWhole(
  store: ObjectStore,
  { target, metadata }: Found,
  options: StoreOptions,
): Promise<boolean> {
  const { own } = await listBackupObjects(store, target.container, target.prefix, options)
  const named = await manifestNames(target, metadata)
  return own.size > 0 && named.every((name) => own.has(name))
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

function conflict({ id, container }: DeleteTarget): BackupError {
  return new BackupError(
    'CONFLICT',
    `Another delete of backup ${id} runs at the same time, or was killed. Wait until it ends, then delete the backup again.`,
    { backupId: id, container },
  )
}

/**
 * Undoes what was done before the first object was removed. What fails here is left to the marker.
 *
 * @returns whether it is undone; false where another delete came to decide meanwhile
 */
async function takeBack(
  means: DeleteMeans,
  { target, metadata }: Found,
  own: StoredMarker | undefined,
  failure: unknown,
): Promise<boolean> {
  const options = putBackOptions()
  const { store } = means
  const { container, prefix } = target
  try {
    if (metadata && !(await store.objectExists(container, metadataObjectName(prefix), options))) {
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
    await removeOwn({ ...means, options }, target, own)
    return true
  } catch (cause) {
    throw notPutBack(target, failure, cause)
  }
}

function notPutBack({ id, container }: DeleteTarget, failure: unknown, cause: unknown): BackupError {
  const why = failure instanceof Error ? `${failure.message} ` : ''
  return new BackupError(
    'DELETE_INCOMPLETE',
    `${why}Backup ${id} has no metadata now, and it could not be put back. Delete it again: what depends on it is ` +
      'searched, and the delete is finished or taken back.',
    { backupId: id, container, cause },
  )
}

function putBackOptions(): StoreOptions {
  return { signal: AbortSignal.timeout(PUT_BACK_MS) }
}

async function removeOwn(
  { store, options }: DeleteMeans,
  { container }: DeleteTarget,
  own: StoredMarker | undefined,
): Promise<void> {
  if (own) await store.deleteObject(container, own.objectName, options)
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

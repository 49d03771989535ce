import { BackupError, isBackupError } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { DeleteTarget } from './dependents.js'
import { hasObjects, type Found } from './found-backup.js'
import { isFull, mark } from './mark.js'
import { listMarkers, outranks, putMarker, type Markers, type StoredMarker } from './marker.js'
import type { DeleteMeans, Refusal } from './means.js'
import { removeObjects } from './remove-objects.js'
import { isThere, notPutBack, putBackOptions, removeOwn, takeBack } from './take-back.js'

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

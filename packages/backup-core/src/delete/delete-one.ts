import { metadataObjectName } from '../format/object-names.js'
import type { DeleteTarget } from './dependents.js'
import { findInStore, type Found } from './found-backup.js'
import { throwIfAborted } from '../errors/abort.js'
import { isBackupError } from '../errors/backup-error.js'
import type { DeleteMeans, Refusal } from './means.js'
import { conflict, settle } from './settle.js'

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
  await settle(means, found, async (markerName) => {
    const refusal = await hide(means, found, markerName)
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
 * @param error - why the backup must be kept
 */
export async function takeBackUnfinished(
  means: DeleteMeans,
  target: DeleteTarget,
  error: Error,
): Promise<void> {
  const found = await findInStore(means, target)
  if (found.committed || found.markers.readable.length === 0) return
  await settle(means, found, () => Promise.resolve({ error, mayStillBeRemoved: false }))
}

/** Removes `_metadata`, then looks for dependents. @returns the reason why the backup must be kept */
async function hide(
  means: DeleteMeans,
  { target, committed, metadata }: Found,
  markerName: string | undefined,
): Promise<Refusal | undefined> {
  const { store, options } = means
  const { container, prefix } = target
  const objectName = metadataObjectName(prefix)
  let removing = false
  const unanswered: true[] = []
  const onUnanswered = (): void => void unanswered.push(true)
  try {
    throwIfAborted(options.signal, 'The delete')
    // Its bytes are in the marker, or cannot be had. One that came back since is not to be lost.
    if (committed || metadata) {
      removing = true
      await store.deleteObject(container, objectName, { ...options, onUnanswered })
      removing = false
    } else if (await store.objectExists(container, objectName, options)) throw conflict(target)
    await means.assertNoDependents(markerName === undefined ? target : { ...target, markerName })
    return undefined
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    return { error, mayStillBeRemoved: unanswered.length > 0 || (removing && hasNoAnswer(error)) }
  }
}

/** Whether a request was cut off before the store had said what it made of it. */
function hasNoAnswer(error: Error): boolean {
  return isBackupError(error, 'ABORTED') || isBackupError(error, 'STORE_UNAVAILABLE')
}

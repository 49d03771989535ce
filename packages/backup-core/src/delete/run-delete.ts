import type { BackupCatalog } from '../contracts/catalog.js'
import { signalOptions, type ObjectStore, type StoreOptions } from '../contracts/object-store.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import type { WarningListener } from '../contracts/progress.js'
import { DependentsSearch, type DeleteTarget, type Dependents } from './dependents.js'
import type { DeleteOptions, DeleteResult } from '../contracts/requests.js'
import type { BackupReference } from '../contracts/records.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { findInStore, findTargets, type Found, type TargetSearch } from './find-target.js'
import { metadataObjectName } from '../format/object-names.js'
import { conflict, settle } from './settle.js'
import { messageAbout } from '../errors/error-mapper.js'

/** What one backup is deleted with. */
export interface DeleteMeans {
  readonly store: ObjectStore
  readonly catalog: Pick<BackupCatalog, 'remove'>
  readonly onWarning: WarningListener
  readonly meter: ProgressMeter
  readonly options: StoreOptions
  /** Whether the caller deletes what cannot be read. */
  readonly force: boolean
  /** Rejects where a backup that depends on the target exists, or may exist. Searches anew each time. */
  readonly assertNoDependents: (target: DeleteTarget) => Promise<void>
}

/** Why a backup must be kept. */
export interface Refusal {
  readonly error: Error
  /** Whether `_metadata` may yet be removed: that request was cut off, and something between may hold it. */
  readonly mayStillBeRemoved: boolean
}

/** What backups are deleted with. */
export interface DeleteJob extends TargetSearch {
  readonly catalog: BackupCatalog
  readonly onWarning: WarningListener
}

/**
 * Deletes a backup, and with it those that depend on it where the caller said so, newest first: what is left after a
 * failure is whole. Finishes a delete that was interrupted.
 */
export async function runDelete(
  job: DeleteJob,
  reference: BackupReference,
  deleteOptions: DeleteOptions,
): Promise<DeleteResult> {
  const { force = false, signal } = deleteOptions
  throwIfAborted(signal, 'The delete')
  const targets = await findTargets(job, reference, force, signalOptions(signal))
  return deleteTargets(job, targets, deleteOptions)
}

/** What is deleted with, when it is known what. */
export interface DeleteTargetsJob extends Pick<DeleteJob, 'store' | 'ownCatalog' | 'onWarning'> {
  readonly catalog: Pick<BackupCatalog, 'remove'>
}

/** Deletes what was found for one id. */
export async function deleteTargets(
  job: DeleteTargetsJob,
  targets: readonly [DeleteTarget, ...DeleteTarget[]],
  { withDescendants = false, force = false, signal, onProgress }: DeleteOptions,
): Promise<DeleteResult> {
  const options = signalOptions(signal)
  const [target] = targets
  const search = new DependentsSearch(job.store, job.ownCatalog, options)
  const first = await search.of(targets)
  const toDelete = [...(withDescendants ? [...first.found].reverse() : []), ...targets]
  const meter = new ProgressMeter(
    'delete',
    toDelete.reduce((sum, { objectCount = 0 }: DeleteTarget) => sum + objectCount + 2, 0),
    onProgress,
  )
  const means: DeleteMeans = {
    ...{ ...job, meter, options, force },
    assertNoDependents: async (next) => {
      const others = targets.filter(({ prefix }) => prefix !== next.prefix)
      const refused = refusalFor(next, await search.of([next, ...others]), force)
      if (refused) throw refused
    },
  }
  const refusal = refusalFor(target, withDescendants ? { ...first, found: [] } : first, force)
  if (refusal) {
    // An incremental was committed while an earlier delete was interrupted: it needs its parent.
    if (first.found.length > 0) for (const next of targets) await takeBackUnfinished(means, next, refusal)
    throw refusal
  }
  for (const error of force ? first.unknown : []) {
    job.onWarning({
      code: 'DEPENDENT_IGNORED',
      message: `Backup ${target.id} is deleted although a backup that may depend on it cannot be read: ${error.message}`,
      backupId: target.id,
    })
  }
  for (const next of toDelete) {
    throwIfAborted(signal, 'The delete')
    await deleteOne(means, next)
  }
  meter.finish()
  return { deleted: [...new Set(toDelete.map(({ id }) => id))], objectsDeleted: meter.objects }
}

/** Why a backup must be kept. */
function refusalFor(
  { id }: DeleteTarget,
  { found, halfDeleted, unknown }: Dependents,
  force: boolean,
): BackupError | undefined {
  if (found.length > 0) {
    const ids = found.map((record) => record.id)
    const names = ids.map((one) => (halfDeleted.has(one) ? `${one} (whose delete did not finish)` : one))
    return new BackupError(
      'HAS_DEPENDENTS',
      `Backup ${id} is the base of ${ids.length} incremental(s): ${names.join(', ')}. Delete those first, or set \`withDescendants\`.`,
      { backupId: id, backupIds: ids },
    )
  }
  const [cause] = unknown
  if (!cause || force) return undefined
  const names = unknown.map(
    ({ details }) => details.objectName ?? details.container ?? 'the list of containers',
  )
  return new BackupError(
    'DEPENDENTS_UNKNOWN',
    `Cannot delete backup ${id}: ${unknown.length} object(s) or container(s) that may hold an incremental on it cannot be ` +
      `read. The first: ${messageAbout(cause, names[0] ?? '')} Repair or remove them, or set \`force\` to ignore them.`,
    { backupId: id, unreadable: names, cause },
  )
}

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

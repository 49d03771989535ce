import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectStore } from '../contracts/object-store.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupCatalog, BackupReference } from '../contracts/records.js'
import type { DeleteOptions, DeleteResult } from '../contracts/requests.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import { metadataObjectName } from '../format/object-names.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { StoreAccess } from '../store/access.js'
import { DependentsSearch, type Dependents } from './dependents.js'
import { findInStore, findTargets, type DeleteTarget, type DeleteTargets, type Found } from './find-target.js'
import { conflict, settle } from './settle.js'

/** The dependencies of a delete whose targets are known. */
export interface DeleteTargetsJob {
  readonly store: ObjectStore
  readonly catalog: Pick<BackupCatalog, 'remove'>
  /** The caller's catalog; undefined where the store's own `_metadata` objects are the catalog. */
  readonly ownCatalog: BackupCatalog | undefined
  readonly onWarning: WarningListener
}

/** The dependencies of a delete. */
export interface DeleteJob extends DeleteTargetsJob {
  /** Returns a new lookup, which has not listed anything yet. */
  readonly openLookup: () => BackupLookup
}

/** The dependencies of the delete of one backup. */
export interface DeleteContext extends DeleteTargetsJob {
  readonly access: StoreAccess
  readonly force: boolean
  readonly meter: ProgressMeter
  /** Rejects where a backup that depends on the target exists, or may exist. Searches anew each time. */
  readonly assertNoDependents: (target: DeleteTarget) => Promise<void>
}

/** Why a backup must be kept. */
export interface Refusal {
  readonly error: Error
  /** Whether `_metadata` may still be removed: that request was cut off, and a proxy may have buffered it. */
  readonly mayStillBeRemoved: boolean
}

/**
 * Deletes a backup, and with `withDescendants` those that depend on it, newest first: the backups that are left after a
 * failure are complete. Finishes a delete that was interrupted.
 */
export async function runDelete(
  job: DeleteJob,
  reference: BackupReference,
  deleteOptions: DeleteOptions,
): Promise<DeleteResult> {
  const { force = false, signal } = deleteOptions
  throwIfAborted(signal, 'The delete')
  const targets = await findTargets(job, new StoreAccess(job.store, { signal }), reference, force)
  return deleteTargets(job, targets, deleteOptions)
}

/** Deletes the backups that were found for one id. */
export async function deleteTargets(
  job: DeleteTargetsJob,
  targets: DeleteTargets,
  { withDescendants = false, force = false, signal, onProgress }: DeleteOptions,
): Promise<DeleteResult> {
  const access = new StoreAccess(job.store, { signal })
  const [target] = targets
  const search = new DependentsSearch(access, job.ownCatalog)
  const first = await search.of(targets)
  const toDelete = [...(withDescendants ? [...first.found].reverse() : []), ...targets]
  const total = toDelete.reduce((sum, { objectCount = 0 }: DeleteTarget) => sum + objectCount + 2, 0)
  const meter = new ProgressMeter('delete', total, onProgress)
  const context: DeleteContext = {
    ...{ ...job, access, meter, force },
    assertNoDependents: async (next) => {
      const others = targets.filter(({ prefix }) => prefix !== next.prefix)
      const found = refusalFor(next, await search.of([next, ...others]), force)
      if (found) throw found
    },
  }
  const refusal = refusalFor(target, withDescendants ? { ...first, found: [] } : first, force)
  if (refusal) {
    // An incremental was committed while an earlier delete was interrupted: it needs its parent.
    if (first.found.length > 0) for (const next of targets) await putBackUnfinished(context, next, refusal)
    throw refusal
  }
  for (const error of force ? first.unknown : []) {
    job.onWarning({
      code: 'DEPENDENT_IGNORED',
      message: `Backup ${target.id} is deleted, although a backup that may depend on it cannot be read: ${error.message}`,
      backupId: target.id,
    })
  }
  for (const next of toDelete) {
    throwIfAborted(signal, 'The delete')
    await deleteOne(context, next)
  }
  meter.finish()
  return { deleted: [...new Set(toDelete.map(({ id }) => id))], objectsDeleted: meter.objects }
}

/** Returns the error for a backup that must be kept. */
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
      `Cannot delete backup ${id}: ${ids.length} incremental(s) depend on it: ${names.join(', ')}. Delete those first, or set \`withDescendants\`.`,
      { backupId: id, backupIds: ids },
    )
  }
  const [cause] = unknown
  if (!cause || force) return undefined
  const nameOf = ({ details }: BackupError): string =>
    details.objectName ?? details.container ?? 'the list of containers'
  return new BackupError(
    'DEPENDENTS_UNKNOWN',
    `Cannot delete backup ${id}: ${unknown.length} object(s) or container(s) that may hold an incremental on it cannot be read. The first: ${messageAbout(cause, nameOf(cause))} Repair or remove them, or set \`force\` to ignore them.`,
    { backupId: id, unreadable: unknown.map(nameOf), cause },
  )
}

/**
 * Deletes one backup, so that a delete that is interrupted anywhere can be finished, and an incremental that is committed
 * meanwhile keeps its parent:
 *
 * 1. The delete writes its own marker, with the bytes of `_metadata`.
 * 2. It removes `_metadata`: from here on no incremental on it can be committed, since a commit checks its parent last.
 * 3. It searches dependents once more. One that was committed before step 2 is found: `_metadata` is put back, and the
 *    marker removed.
 * 4. It writes the marker again, as one whose objects are being removed. Then it removes them, and the markers last.
 *
 * Of concurrent deletes one decides: each lists the others' markers after it has written its own, before it puts anything
 * back or removes it. A marker is removed by its own delete, or by one that has removed everything else: so the bytes of
 * `_metadata` are in the store as long as they may be needed.
 */
async function deleteOne(context: DeleteContext, target: DeleteTarget): Promise<void> {
  const found = await findInStore(context.access, target, context.force)
  let counted = !found.committed
  await settle(context, found, async (markerName) => {
    const refusal = await hide(context, found, markerName)
    if (!counted && refusal === undefined) {
      context.meter.add({ done: 1, objects: 1 })
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
async function putBackUnfinished(context: DeleteContext, target: DeleteTarget, error: Error): Promise<void> {
  const found = await findInStore(context.access, target, context.force)
  if (found.committed || found.markers.readable.length === 0) return
  await settle(context, found, () => Promise.resolve({ error, mayStillBeRemoved: false }))
}

/** Removes `_metadata`, then searches dependents. @returns the reason why the backup must be kept */
async function hide(
  context: DeleteContext,
  { target, committed, metadata }: Found,
  markerName: string | undefined,
): Promise<Refusal | undefined> {
  const { access, assertNoDependents } = context
  const { container, prefix } = target
  const objectName = metadataObjectName(prefix)
  let removing = false
  const unanswered: true[] = []
  const onUnanswered = (): void => void unanswered.push(true)
  try {
    throwIfAborted(access.options.signal, 'The delete')
    // Its bytes are in the marker, or cannot be read. A `_metadata` that was put back since must not be lost.
    if (committed || metadata) {
      removing = true
      await access.store.deleteObject(container, objectName, { ...access.options, onUnanswered })
      removing = false
    } else if (await access.exists(container, objectName)) throw conflict(target)
    await assertNoDependents(markerName === undefined ? target : { ...target, markerName })
    return undefined
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    // Such a request may have been cut off before the store responded.
    const isUnanswered = isBackupError(error, 'ABORTED') || isBackupError(error, 'STORE_UNAVAILABLE')
    return { error, mayStillBeRemoved: unanswered.length > 0 || (removing && isUnanswered) }
  }
}

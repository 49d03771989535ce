import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectStore } from '../contracts/object-store.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupCatalog, BackupReference } from '../contracts/records.js'
import type { DeleteOptions, DeleteResult } from '../contracts/requests.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { StoreAccess } from '../store/access.js'
import { BackupDelete, type DeleteContext } from './delete-backup.js'
import { DependentsSearch, type Dependents } from './dependents.js'
import { findTargets, type DeleteTarget, type DeleteTargets } from './find-target.js'

/** The dependencies of a delete whose targets are known. */
export interface DeleteTargetsJob {
  readonly store: ObjectStore
  readonly catalog: Pick<BackupCatalog, 'remove'>
  /** The caller's catalog; undefined where the store's own `_metadata` objects are the catalog. */
  readonly callerCatalog: BackupCatalog | undefined
  readonly onWarning: WarningListener
}

/** The dependencies of a delete. */
export interface DeleteJob extends DeleteTargetsJob {
  /** Returns a new lookup, which has not listed anything yet. */
  readonly openLookup: () => BackupLookup
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
  const search = new DependentsSearch(access, job.callerCatalog)
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
    if (first.found.length > 0)
      for (const next of targets) await new BackupDelete(context, next).rollBackUnfinished(refusal)
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
    await new BackupDelete(context, next).run()
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

import type { BackupCatalog } from '../catalog/catalog.js'
import type { DeleteOptions, DeleteResult } from '../driver/requests.js'
import { signalOptions } from '../driver/signal-options.js'
import type { BackupReference } from '../driver/types.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { ProgressMeter } from '../progress/progress-meter.js'
import type { WarningListener } from '../progress/progress.js'
import { deleteOne, takeBackUnfinished } from './delete-one.js'
import { DependentsSearch, type Dependents, type DeleteTarget } from './dependents.js'
import { findTargets, type TargetSearch } from './find-target.js'
import type { DeleteMeans } from './means.js'

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
      `read, ${names[0] ?? ''} for one: ${cause.message} Repair or remove them, or set \`force\` to ignore them.`,
    { backupId: id, unreadable: names, cause },
  )
}

import { deleteTargets, type DeleteTargetsJob } from '../delete/run-delete.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import type { BackupLocation } from '../store/access.js'

/** How long a clean-up may take: the caller's signal may be aborted already. */
export const CLEAN_UP_MS = 60_000

/** The dependencies of a clean-up. */
export type CleanUpDeps = Pick<DeleteTargetsJob, 'store' | 'callerCatalog' | 'onWarning'>

/**
 * Deletes a backup whose manifest may have been written, as any other backup is deleted, or keeps it: an incremental
 * may depend on it by now.
 *
 * @param names - of the objects that this run may have created
 * @returns the error to throw: the failure, or `CLEANUP_INCOMPLETE` with it as the cause
 */
export async function uncommit(
  deps: CleanUpDeps,
  backup: BackupLocation & { readonly id: string; readonly volumeId: string },
  names: Iterable<string>,
  failure: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { id, container } = backup
  // The caller's catalog does not have this backup, and may have another one of this id.
  const job = { ...deps, catalog: { remove: () => Promise.resolve() } }
  try {
    // Without `force`: an object that cannot be read may be an incremental that another program can read.
    await deleteTargets(job, [backup], { signal })
    return failure
  } catch (error) {
    const kept = isBackupError(error, 'HAS_DEPENDENTS') || isBackupError(error, 'DEPENDENTS_UNKNOWN')
    const what = kept
      ? `Backup ${id} was already committed and is kept, because an incremental depends on it or may. Verify it. `
      : `The objects of backup ${id} could not be removed: delete it. `
    const leftovers = kept ? [] : [...names]
    return incomplete(failure, what + messageOf(error), {
      backupId: id,
      container,
      leftovers,
    })
  }
}

/** Returns the error for a clean-up that left something, with the failure as its cause. */
export function incomplete(
  failure: unknown,
  what: string,
  details: { backupId?: string; container: string; leftovers: readonly string[] },
): BackupError {
  return new BackupError('CLEANUP_INCOMPLETE', `${messageOf(failure)} ${what}`, {
    cause: failure,
    ...details,
  })
}

import { deleteTargets, type DeleteTargetsJob } from '../delete/run-delete.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { Destination } from './destination.js'

/** How long a clean-up may take; it runs after the caller's own signal was aborted. */
const CLEAN_UP_MS = 60_000

/** What a backup that was visible is withdrawn with. */
export type CleanUpMeans = Pick<DeleteTargetsJob, 'store' | 'ownCatalog' | 'onWarning'>

/**
 * Removes what a failed backup wrote, and then its claim. Every name that this run may have created is removed, also those
 * whose write failed: an answer that was lost may have been a success. Objects that another run created are left.
 *
 * @returns the error to throw: the first failure, or `CLEANUP_INCOMPLETE` with it as the cause and what is left
 */
export async function cleanUp(
  means: CleanUpMeans,
  destination: Destination,
  failure: unknown,
): Promise<unknown> {
  const { container, written } = destination.sink
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const leftovers: string[] = []
  let outcome = failure
  if (written.names.has(metadataObjectName(destination.prefix))) {
    outcome = await withdraw(means, destination, failure, signal)
  } else if (written.names.size > 0) {
    leftovers.push(...(await remove(destination, [...written.names], signal)))
  }
  const { claim } = destination
  await claim?.release({ signal }).catch(() => leftovers.push(claim.objectName))
  if (leftovers.length === 0) return outcome
  return incomplete(
    outcome,
    `Of what had been written, ${leftovers.length} object(s) may be left in ${container}, ${leftovers[0] ?? ''} for one. ` +
      '`removeOrphans` removes them once they are a day old.',
    { container, leftovers },
  )
}

/**
 * A backup whose commit object may have been written may have an incremental by now, which needs it: it is deleted as any
 * other backup is, or kept.
 */
async function withdraw(
  means: CleanUpMeans,
  { sink: { container, written }, prefix, prepared }: Destination,
  failure: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { id, volumeId } = prepared.backup
  // A catalog of the caller's was not told of it, and may have another backup of this id.
  const job = { ...means, catalog: { remove: () => Promise.resolve() } }
  try {
    // What cannot be read may be an incremental of somebody who can read it.
    await deleteTargets(job, [{ id, volumeId, container, prefix }], { signal })
    return failure
  } catch (error) {
    const kept = isBackupError(error, 'HAS_DEPENDENTS') || isBackupError(error, 'DEPENDENTS_UNKNOWN')
    const what = kept
      ? `Backup ${id} had been committed by then, and was kept, since an incremental depends on it, or may: verify it. `
      : `What had been written of backup ${id} could not be removed: delete it. `
    const leftovers = kept ? [] : [...written.names]
    return incomplete(failure, what + (error instanceof Error ? error.message : ''), {
      backupId: id,
      container,
      leftovers,
    })
  }
}

/** @returns what may be left */
async function remove(
  { sink: { store, container } }: Destination,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const failed = await store.deleteObjects(container, names, { signal })
    return failed.map(({ objectName }) => objectName)
  } catch {
    return names
  }
}

function incomplete(
  failure: unknown,
  what: string,
  details: { backupId?: string; container: string; leftovers: readonly string[] },
): BackupError {
  const why = failure instanceof Error ? failure.message : String(failure)
  return new BackupError('CLEANUP_INCOMPLETE', `${why} ${what}`, { cause: failure, ...details })
}

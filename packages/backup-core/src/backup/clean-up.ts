import { deleteTargets, type DeleteTargetsJob } from '../delete/run-delete.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import { manifestObjectName } from '../format/object-names.js'
import type { Destination } from './destination.js'

/** How long a clean-up may take: the caller's signal may be aborted already. */
const CLEAN_UP_MS = 60_000

/** The dependencies of a clean-up. */
export type CleanUpDeps = Pick<DeleteTargetsJob, 'store' | 'callerCatalog' | 'onWarning'>

/**
 * Removes the objects of a failed backup, and then its claim. Every object that this run may have created is removed, also
 * those whose write failed: the response that was lost may have been a success. Objects that another run created are kept.
 *
 * @returns the error to throw: the first failure, or `CLEANUP_INCOMPLETE` with it as the cause and the names that are left
 */
export async function cleanUp(
  deps: CleanUpDeps,
  destination: Destination,
  failure: unknown,
): Promise<unknown> {
  const { container, writer } = destination.sink
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const leftovers: string[] = []
  let outcome = failure
  if (writer.names.has(manifestObjectName(destination.prefix))) {
    outcome = await deleteCommitted(deps, destination, failure, signal)
  } else if (writer.names.size > 0) {
    leftovers.push(...(await remove(destination, [...writer.names], signal)))
  }
  const claim = await destination.claim.catch(() => null)
  await claim?.release({ signal }).catch(() => leftovers.push(claim.objectName))
  if (leftovers.length === 0) return outcome
  return incomplete(
    outcome,
    `The backup's objects could not be removed: ${leftovers.length} of them may be left in ${container}, such as ` +
      `${leftovers[0] ?? ''}. \`removeOrphans\` removes them once they are a day old.`,
    { container, leftovers },
  )
}

/**
 * Deletes a backup whose manifest may have been written, as any other backup is deleted, or keeps it: an incremental
 * may depend on it by now.
 */
async function deleteCommitted(
  deps: CleanUpDeps,
  { sink: { container, writer }, prefix, prepared }: Destination,
  failure: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { id, volumeId } = prepared.backup
  // The caller's catalog does not have this backup, and may have another one of this id.
  const job = { ...deps, catalog: { remove: () => Promise.resolve() } }
  try {
    // Without `force`: an object that cannot be read may be an incremental that another program can read.
    await deleteTargets(job, [{ id, volumeId, container, prefix }], { signal })
    return failure
  } catch (error) {
    const kept = isBackupError(error, 'HAS_DEPENDENTS') || isBackupError(error, 'DEPENDENTS_UNKNOWN')
    const what = kept
      ? `Backup ${id} was already committed and is kept, because an incremental depends on it or may. Verify it. `
      : `The objects of backup ${id} could not be removed: delete it. `
    const leftovers = kept ? [] : [...writer.names]
    return incomplete(failure, what + messageOf(error), {
      backupId: id,
      container,
      leftovers,
    })
  }
}

/** @returns the names of objects that may be left */
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
  return new BackupError('CLEANUP_INCOMPLETE', `${messageOf(failure)} ${what}`, {
    cause: failure,
    ...details,
  })
}

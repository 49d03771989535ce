import { isBackupError } from '@stowage/backup-core'
import type { BackupRecord, ChunkedBackupDriver } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** Fewer characters are more likely a typing error than the beginning of an id. */
const minPrefixLength = 4

/** The maximum number of ids in an error. */
const maxNamed = 10

const wholeUuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/**
 * Finds a backup by its id, or by the beginning of it where that is unique, as users type it from a listing.
 *
 * @throws BackupError `BACKUP_NOT_FOUND`
 * @throws CliError `USAGE` where several ids begin with it, `BACKUP_NOT_FOUND` for too short a beginning
 */
export async function resolveBackup(
  driver: ChunkedBackupDriver,
  idOrPrefix: string,
  signal: AbortSignal,
): Promise<BackupRecord> {
  try {
    return await driver.getBackup(idOrPrefix, { signal })
  } catch (notFound) {
    // The beginning of an id is not found as a whole id; the error is then that of a container that cannot be listed.
    const isUnlisted = isBackupError(notFound, 'FORBIDDEN') || isBackupError(notFound, 'NOT_A_FILE')
    if (!isUnlisted && !isBackupError(notFound, 'BACKUP_NOT_FOUND')) throw notFound
    if (wholeUuid.test(idOrPrefix)) throw notFound
    if (idOrPrefix.length < minPrefixLength && !isUnlisted) {
      throw new CliError('BACKUP_NOT_FOUND', `Backup ${idOrPrefix} does not exist in this store.`, {
        exitCode: exitCodes.notFound,
        hint: `Give at least the first ${String(minPrefixLength)} characters of an id; \`stowage list\` names the backups of the store.`,
        cause: notFound,
      })
    }
    if (idOrPrefix.length < minPrefixLength) throw notFound
    const [found, ...others] = await driver.listBackups({ idPrefix: idOrPrefix, signal })
    if (!found) throw notFound
    // An id that the caller chose may be that of the backup that cannot be read.
    if (isUnlisted && !wholeUuid.test(found.id)) throw notFound
    if (others.length === 0) return found
    const ids = [found, ...others].map(({ id }) => id)
    throw new CliError('USAGE', `The ids of ${String(ids.length)} backups begin with "${idOrPrefix}".`, {
      exitCode: exitCodes.usage,
      hint: `Give more of the id: ${named(ids)}.`,
      details: { backupIds: ids },
    })
  }
}

/**
 * Deletes need a complete id, because after a typing error a beginning may match another backup. If the id is the beginning
 * of one, the error names the matching backups.
 *
 * @returns the error to throw in place of `error`, with which a delete of `idOrPrefix` failed
 */
export async function completeIdRequired(
  driver: ChunkedBackupDriver,
  idOrPrefix: string,
  signal: AbortSignal,
  error: unknown,
): Promise<unknown> {
  if (!isBackupError(error, 'BACKUP_NOT_FOUND')) return error
  if (idOrPrefix.length < minPrefixLength || wholeUuid.test(idOrPrefix)) return error
  // Where the store cannot be listed, the error of the delete is all there is to report.
  const ids = await driver.listBackups({ idPrefix: idOrPrefix, signal }).then(
    (records) => records.map(({ id }) => id),
    () => [],
  )
  if (ids.length === 0) return error
  const whose = ids.length === 1 ? 'The id of one backup begins so' : 'These ids begin so'
  return new CliError(
    'BACKUP_NOT_FOUND',
    `There is no backup with the id "${idOrPrefix}". Nothing was deleted: a delete takes the whole id.`,
    {
      exitCode: exitCodes.notFound,
      hint: `${whose}: ${named(ids)}.`,
      details: { backupIds: ids },
      cause: error,
    },
  )
}

function named(ids: readonly string[]): string {
  const more = ids.length - maxNamed
  return ids.slice(0, maxNamed).join(', ') + (more > 0 ? ` and ${String(more)} more` : '')
}

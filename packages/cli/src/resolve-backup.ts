import { isBackupError } from '@stowage/backup-core'
import type { BackupRecord, ChunkedBackupDriver } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** Fewer characters than these are more likely a slip than the beginning of an id. */
const leastPrefix = 4

/**
 * Finds a backup by its id, or by the beginning of it where that is unique, as people type it from a listing.
 *
 * @throws BackupError `BACKUP_NOT_FOUND`
 * @throws CliError `USAGE` where several ids begin so
 */
export async function resolveBackup(
  driver: ChunkedBackupDriver,
  idOrPrefix: string,
  signal: AbortSignal,
): Promise<BackupRecord> {
  try {
    return await driver.getBackup(idOrPrefix, { signal })
  } catch (notFound) {
    if (!isBackupError(notFound, 'BACKUP_NOT_FOUND') || idOrPrefix.length < leastPrefix) throw notFound
    const records = await driver.listBackups({ signal })
    const [found, ...others] = records.filter(({ id }) => id.startsWith(idOrPrefix))
    if (!found) throw notFound
    if (others.length === 0) return found
    throw new CliError('USAGE', `${String(others.length + 1)} backups begin with "${idOrPrefix}".`, {
      exitCode: exitCodes.usage,
      hint: `They are ${[found, ...others].map(({ id }) => id).join(', ')}.`,
    })
  }
}

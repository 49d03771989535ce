import type { BackupRequest } from '../contracts/requests.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import type { BackupWarning } from '../contracts/progress.js'

/**
 * Rejects a source of no bytes, unless the request allows one. A program that failed leaves an empty stream behind, and
 * a backup of it would be restored, or built upon, as if it were the volume.
 *
 * @param sizeBytes - of the source; undefined while a stream has not ended
 * @throws BackupError `SOURCE_EMPTY`
 */
export function assertNotEmpty(request: BackupRequest, sizeBytes: number | undefined): void {
  if (sizeBytes !== 0 || request.allowEmpty === true) return
  throw new BackupError(
    'SOURCE_EMPTY',
    'The source has 0 bytes. Check what fills it: a program that failed leaves an empty stream or file behind. Set `allowEmpty` where the volume is empty.',
  )
}

/**
 * Rejects an incremental of a source that is shorter than its parent by more than half, unless the request allows it.
 *
 * @param sizeBytes - of the source; undefined while a stream has not ended
 * @throws BackupError `SOURCE_SHRANK`
 */
export function assertNotShrunk(
  request: BackupRequest,
  parent: BackupRecord | undefined,
  sizeBytes: number | undefined,
): void {
  if (!parent || sizeBytes === undefined || request.allowShrink === true) return
  if (sizeBytes >= parent.sizeBytes / 2) return
  throw new BackupError(
    'SOURCE_SHRANK',
    `The source has ${sizeBytes} bytes, and its parent, backup ${parent.id}, has ${parent.sizeBytes}: less than half. Check that the source is whole and is the same volume. Set \`allowShrink\` where the volume was made smaller.`,
    { backupId: parent.id },
  )
}

/** The warning for an incremental that is shorter than its parent; undefined where it is not. */
export function shrinkWarning(
  backupId: string,
  parent: BackupRecord | undefined,
  sizeBytes: number,
): BackupWarning | undefined {
  if (!parent || sizeBytes >= parent.sizeBytes) return undefined
  return {
    code: 'SOURCE_SHRANK',
    message: `The volume shrank: it has ${sizeBytes} bytes, and its parent, backup ${parent.id}, has ${parent.sizeBytes}.`,
    backupId,
  }
}

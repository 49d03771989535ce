import { isBackupError } from '../errors/backup-error.js'
import type { BackupErrorCode } from '../errors/codes.js'
import type { WarningListener } from '../progress/progress.js'
import type { Found, StoreAccess } from './found-backup.js'
import { outranks, writeMarker, type StoredMarker } from './marker.js'

/** Codes of a store that is full: a backup must be deletable all the same, which makes room. */
const fullCodes: readonly BackupErrorCode[] = ['NO_SPACE', 'QUOTA_EXCEEDED']

export function isFull(error: unknown): boolean {
  return fullCodes.some((code) => isBackupError(error, code))
}

/** What a backup is marked with. */
export type MarkMeans = Pick<StoreAccess, 'store' | 'options'> & { readonly onWarning: WarningListener }

/** Writes this delete's marker; on a full store it takes over the highest of the others. */
export async function mark(
  { store, options, onWarning }: MarkMeans,
  { target, committed, metadata, hadObjects }: Found,
  others: readonly StoredMarker[],
): Promise<StoredMarker | undefined> {
  if (!committed && metadata === null && others.length === 0 && !hadObjects) return undefined
  try {
    return await writeMarker(store, target, metadata ?? new Uint8Array(), others, options)
  } catch (error) {
    if (!isFull(error)) throw error
    const [first, ...rest] = others
    if (first) return rest.reduce((highest, other) => (outranks(other, highest) ? other : highest), first)
    onWarning({
      code: 'DELETE_NOT_MARKED',
      message:
        `The store is full, so that the delete of backup ${target.id} cannot be marked as begun. ` +
        'If it is interrupted, delete the backup again with `force`.',
      backupId: target.id,
    })
    return undefined
  }
}

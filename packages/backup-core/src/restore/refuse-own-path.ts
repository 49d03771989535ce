import type { ObjectStore } from '../driver/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import type { VolumeTarget } from '../volume/volume.js'

/**
 * Refuses a target that is a file of the store itself: the restore would overwrite backups, the one that it reads
 * perhaps. A hard link from elsewhere to an object is not noticed.
 *
 * @throws BackupError `OPTION_INVALID`
 */
export async function refuseOwnPath(store: ObjectStore, target: VolumeTarget): Promise<void> {
  const { path } = target as { readonly path?: unknown }
  if (typeof path !== 'string' || (await store.ownsPath?.(path)) !== true) return
  throw new BackupError(
    'OPTION_INVALID',
    `Cannot restore to ${path}: it is in the directory of the store, where it could overwrite backups. Choose a target outside of the store.`,
  )
}

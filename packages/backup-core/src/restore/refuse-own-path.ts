import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import type { VolumeTarget } from '../volume/volume.js'

/**
 * Refuses a target that is a file of the store itself: the restore would overwrite backups, the one that it reads
 * perhaps.
 *
 * @throws BackupError `OPTION_INVALID`
 */
export async function refuseOwnPath(
  store: ObjectStore,
  target: VolumeTarget,
  options: StoreOptions,
): Promise<void> {
  const { path } = target as { readonly path?: unknown }
  if (typeof path !== 'string' || (await store.ownsPath?.(path, options)) !== true) return
  throw new BackupError(
    'OPTION_INVALID',
    `Cannot restore to ${path}: it is in the directory of the store, or a hard link to a file in it, and could overwrite backups. Choose a target outside of the store.`,
  )
}

import { listMarkers } from '../delete/marker.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'

/**
 * Refuses a parent that has the marker of a delete, running or interrupted: the delete may go on at any time.
 *
 * @throws `CHAIN_INVALID`
 */
export async function assertNotBeingDeleted(
  store: ObjectStore,
  parent: BackupRecord,
  options: StoreOptions,
): Promise<void> {
  const { readable, damaged } = await listMarkers(store, parent, options)
  if (readable.length + damaged.length === 0) return
  throw new BackupError(
    'CHAIN_INVALID',
    `The parent, backup ${parent.id}, is being deleted, or its delete was interrupted. ` +
      'Delete it again to finish that, or make the incremental on another backup.',
    { backupId: parent.id, container: parent.container },
  )
}

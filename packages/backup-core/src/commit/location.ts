import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectStore } from '../contracts/object-store.js'
import type { BackupRecord, NewBackup } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { assertContainerName, assertObjectName, sha256fileObjectName } from '../format/object-names.js'
import type { DriverSettings } from '../settings/settings.js'
import type { BackupLocation } from '../store/access.js'

/**
 * Chooses the container of a new backup's objects, and the prefix of their names.
 *
 * @param prefix - instead of the one that the driver generates
 * @throws BackupError `OPTION_INVALID`
 */
export function chooseLocation(
  store: ObjectStore,
  settings: DriverSettings,
  backup: NewBackup,
  prefix = store.generateObjectNamePrefix(backup),
): BackupLocation {
  const container =
    store.updateContainerName(backup, backup.container) ?? backup.container ?? settings.container
  if (container === null) {
    throw new BackupError(
      'OPTION_INVALID',
      'Cannot choose a container: the request names none, and the driver has no default. Name a container in the request.',
    )
  }
  assertContainerName(container)
  // The longest name of a backup's objects: those of data objects are shorter.
  assertObjectName(sha256fileObjectName(prefix), store.capabilities.maxObjectNameBytes)
  return { container, prefix }
}

/**
 * Rejects a container in which a later delete of the parent would not find this incremental. A delete searches the parent's
 * container and those that the driver lists.
 *
 * @returns whether the driver does not list the container yet, so that the commit has to check it
 */
export async function assertContainerIsSearched(
  store: ObjectStore,
  lookup: BackupLookup,
  parent: BackupRecord | null,
  container: string,
): Promise<boolean> {
  if (!parent || parent.container === container) return false
  if (!store.capabilities.containerListing) throw containerNotSearched(parent.container, container)
  if (!(await lookup.listsContainer(parent.container))) {
    throw containerNotSearched(parent.container, container)
  }
  return !(await lookup.listsContainer(container))
}

/** Returns the error for an incremental that a delete of its parent would not find. */
function containerNotSearched(parentContainer: string, container: string): BackupError {
  return new BackupError(
    'OPTION_INVALID',
    `Cannot put an incremental into the container ${container} while its parent is in ${parentContainer}: ` +
      'this driver does not search both, so that a delete of the parent would not find the incremental. ' +
      `Leave \`container\` out, set it to ${parentContainer}, or use a driver that lists all containers.`,
    { container },
  )
}

/** Checks that a delete of the parent searches the container, which a driver can list once it has objects. */
export async function assertContainerIsSearchedNow(
  lookup: BackupLookup,
  parent: BackupRecord | null,
  container: string,
): Promise<void> {
  if (await lookup.listsContainer(container)) return
  throw containerNotSearched(parent?.container ?? '', container)
}

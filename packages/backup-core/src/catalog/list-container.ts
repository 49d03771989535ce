import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { BackupError, isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import { prefixOfBackupObject, prefixOfMetadataObject } from '../format/object-names.js'
import { parseMarkerName } from '../format/side-objects.js'

/** Where a `_metadata` object is. */
export interface MetadataPlace {
  readonly container: string
  readonly prefix: string
  readonly objectName: string
}

/** Where the marker of a delete is. */
export interface MarkerPlace {
  readonly container: string
  readonly objectName: string
  readonly backupId: string
}

/** The names of a container by which backups are found. */
export interface ContainerListing {
  readonly metadata: readonly MetadataPlace[]
  readonly markers: readonly MarkerPlace[]
}

/** Far more than a container of backups has; a listing with more may never end, and would fill the memory. */
const MAX_BACKUPS = 1_000_000

/**
 * Lists the `_metadata` objects and the markers of a container.
 *
 * @param namePrefix - lists only names that begin with it
 * @throws `LISTING_INVALID` for more than a million of them
 */
export async function listContainer(
  store: ObjectStore,
  container: string,
  options: StoreOptions,
  namePrefix = '',
): Promise<ContainerListing> {
  const metadata: MetadataPlace[] = []
  const markers: MarkerPlace[] = []
  for await (const objectName of store.getContainerEntries(container, namePrefix, options)) {
    if (metadata.length + markers.length >= MAX_BACKUPS) {
      const message = `The listing of container ${container} has more than ${MAX_BACKUPS} backups, and was not read further. Check the store, and keep fewer backups in one container.`
      throw new BackupError('LISTING_INVALID', message, { container })
    }
    const prefix = prefixOfMetadataObject(objectName)
    const backupId = prefix === null ? parseMarkerName(objectName) : undefined
    if (prefix !== null) metadata.push({ container, prefix, objectName })
    else if (backupId !== undefined) markers.push({ container, objectName, backupId })
  }
  return { metadata, markers }
}

/** Codes of an object or a container that cannot be read, while the rest of the store can. */
const unreadableCodes: ReadonlySet<BackupErrorCode> = new Set([
  'METADATA_INVALID',
  'VERSION_UNSUPPORTED',
  'NOT_A_FILE',
  'FORBIDDEN',
  'OBJECT_CORRUPT',
  'OBJECT_TOO_LARGE',
])

/** Whether an error concerns only the object or container that was read, so that others can still be read. */
export function isUnreadable(error: unknown): error is BackupError {
  return isBackupError(error) && unreadableCodes.has(error.code)
}

/** Yields every prefix of objects in the store that are named as backups' objects are, of backups and of what was left over. */
export async function* findLeftBehind(
  store: ObjectStore,
  options: StoreOptions,
): AsyncGenerator<{ readonly container: string; readonly prefix: string }> {
  for await (const container of store.getContainers(options)) {
    const prefixes = new Set<string>()
    for await (const name of store.getContainerEntries(container, '', options)) {
      const found = prefixOfBackupObject(name)
      if (found) prefixes.add(found.prefix)
    }
    for (const prefix of prefixes) yield { container, prefix }
  }
}

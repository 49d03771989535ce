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

/** What of a container's listing finds backups. */
export interface ContainerListing {
  readonly metadata: readonly MetadataPlace[]
  readonly markers: readonly MarkerPlace[]
}

/** Far more than a container of backups has; a listing that has more of them never ends, and its names fill memory. */
const MAX_BACKUPS = 1_000_000

/**
 * Lists what finds backups.
 *
 * @param namePrefix - what the names begin with that are asked for
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
    const prefix = prefixOfMetadataObject(objectName)
    const backupId = prefix === null ? parseMarkerName(objectName) : undefined
    if (metadata.length + markers.length >= MAX_BACKUPS) throw tooMany(container)
    if (prefix !== null) metadata.push({ container, prefix, objectName })
    else if (backupId !== undefined) markers.push({ container, objectName, backupId })
  }
  return { metadata, markers }
}

function tooMany(container: string): BackupError {
  return new BackupError(
    'LISTING_INVALID',
    `The listing of container ${container} names more than ${MAX_BACKUPS} backups, and was read no further. ` +
      'Check the store, and keep fewer backups in one container.',
    { container },
  )
}

/** Codes that say that this object or container cannot be read, and nothing about the rest of the store. */
const unreadableCodes: ReadonlySet<BackupErrorCode> = new Set([
  'METADATA_INVALID',
  'VERSION_UNSUPPORTED',
  'NOT_A_FILE',
  'FORBIDDEN',
  'OBJECT_CORRUPT',
  'OBJECT_TOO_LARGE',
])

/** Whether the failure to read an object or a container is its own, so that the others can still be read. */
export function isUnreadable(error: unknown): error is BackupError {
  return isBackupError(error) && unreadableCodes.has(error.code)
}

/** Objects that share a prefix, as backups' objects do. */
export interface PrefixInUse {
  readonly container: string
  readonly prefix: string
  /** Whether one of them is a `_metadata` object, readable or not. */
  readonly hasMetadata: boolean
}

/** Every prefix that names of the store have in common, of backups and of what was left of them. Not all are backups'. */
export async function* findLeftBehind(
  store: ObjectStore,
  options: StoreOptions,
): AsyncGenerator<PrefixInUse> {
  for await (const container of store.getContainers(options)) {
    yield* prefixesIn(store, container, options)
  }
}

/** The prefixes of one container: they alone are held, and not the names. */
export async function* prefixesIn(
  store: ObjectStore,
  container: string,
  options: StoreOptions,
): AsyncGenerator<PrefixInUse> {
  const prefixes = new Map<string, boolean>()
  for await (const name of store.getContainerEntries(container, '', options)) {
    const found = prefixOfBackupObject(name)
    if (found) prefixes.set(found.prefix, found.isMetadata || prefixes.get(found.prefix) === true)
  }
  for (const [prefix, hasMetadata] of prefixes) yield { container, prefix, hasMetadata }
}

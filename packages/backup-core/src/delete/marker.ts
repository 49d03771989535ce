import { randomBytes } from 'node:crypto'
import { isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { WarningListener } from '../contracts/progress.js'
import { isBackupError } from '../errors/backup-error.js'
import { decodeMarker, encodeMarker, type DeletionMarker } from '../format/deletion-marker.js'
import type { BackupMetadata } from '../format/metadata.js'
import { parseMetadata } from '../format/metadata-reader.js'
import { metadataObjectName } from '../format/object-names.js'
import { markerNamesBegin, markerObjectName, parseMarkerName } from '../format/side-objects.js'
import { bytesBody, partsBody, readBytes, writeObject } from '../store/objects.js'

/** A store, and the options of the calls to it. */
export interface StoreAccess {
  readonly store: ObjectStore
  readonly options: StoreOptions
}

/** Where the objects of one backup are: two sets of objects may have the same id. */
export interface BackupPlace {
  readonly id: string
  readonly container: string
  readonly prefix: string
}

/** A marker, and its name in the container of its backup. */
export interface StoredMarker extends DeletionMarker {
  readonly objectName: string
}

/** The markers of one backup. */
export interface Markers {
  readonly readable: readonly StoredMarker[]
  /** Names of those that cannot be read. */
  readonly damaged: readonly string[]
}

/**
 * Reads a marker; undefined where it does not exist.
 *
 * @throws BackupError `METADATA_INVALID` where it is damaged
 */
export async function readMarker(
  { store, options }: StoreAccess,
  { container, objectName, backupId }: MarkerPlace,
): Promise<StoredMarker | undefined> {
  try {
    const bytes = await readBytes(store, container, objectName, options)
    return { ...decodeMarker(bytes, backupId, { container, objectName }), objectName }
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/** Lists a backup's markers, and reads them. */
export async function listMarkers(
  { store, options }: StoreAccess,
  { id, container, prefix }: BackupPlace,
): Promise<Markers> {
  const readable: StoredMarker[] = []
  const damaged: string[] = []
  for await (const objectName of store.getContainerEntries(container, markerNamesBegin(id), options)) {
    if (parseMarkerName(objectName) !== id) continue
    try {
      const marker = await readMarker({ store, options }, { container, objectName, backupId: id })
      if (marker?.prefix === prefix) readable.push(marker)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      damaged.push(objectName)
    }
  }
  return { readable, damaged }
}

/** Whether a marker still exists: by the listing, or by a request, since listings may lag. */
export async function isStored(
  { store, options }: StoreAccess,
  { container }: BackupPlace,
  { token, objectName }: StoredMarker,
  { readable, damaged }: Markers,
): Promise<boolean> {
  if (readable.some((marker) => marker.token === token) || damaged.includes(objectName)) return true
  return store.objectExists(container, objectName, options)
}

/**
 * Whether a container has objects, other than markers, whose names contain an id. Where it has none, a marker of that id
 * that cannot be read hides no backup.
 */
export async function mayHideBackup(
  { store, options }: StoreAccess,
  { container, backupId }: MarkerPlace,
): Promise<boolean> {
  for await (const objectName of store.getContainerEntries(container, '', options)) {
    if (objectName.includes(backupId) && parseMarkerName(objectName) === undefined) return true
  }
  return false
}

/** Parses the bytes of a backup's `_metadata`, as a marker has them. */
export function parseManifest(
  bytes: Uint8Array,
  { container, prefix }: Omit<BackupPlace, 'id'>,
): Promise<BackupMetadata> {
  return parseMetadata(bytesBody(bytes).stream(), { container, objectName: metadataObjectName(prefix) })
}

/** Does the same, and returns undefined for bytes that are damaged or missing. */
export async function parseIfReadable(
  bytes: Uint8Array | null,
  place: BackupPlace,
): Promise<BackupMetadata | undefined> {
  try {
    return bytes === null ? undefined : await parseManifest(bytes, place)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** Writes a marker under its name, over an older state of it. */
function putMarker(
  { store, options }: StoreAccess,
  { container }: BackupPlace,
  marker: StoredMarker,
): Promise<void> {
  const body = partsBody(encodeMarker(marker))
  return writeObject(store, container, marker.objectName, body, { ...options, extraMetadata: null })
}

/** Writes a marker anew. A store that is full keeps the old one. */
export async function rewriteMarker(
  access: StoreAccess,
  place: BackupPlace,
  marker: StoredMarker,
): Promise<void> {
  try {
    await putMarker(access, place, marker)
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** Whether the delete of the first marker decides, and not that of the second. A total order. */
export function outranks(a: DeletionMarker, b: DeletionMarker): boolean {
  return a.generation === b.generation ? a.token > b.token : a.generation > b.generation
}

/** Whether the store is full: a backup can be deleted all the same, which frees space. */
function isFull(error: unknown): boolean {
  return isBackupError(error, 'NO_SPACE') || isBackupError(error, 'QUOTA_EXCEEDED')
}

/**
 * Writes the marker of a new delete, which outranks the others. On a full store the delete takes over the highest of the
 * others, or continues without a marker, with a warning.
 */
export async function mark(
  access: StoreAccess & { readonly onWarning: WarningListener },
  place: BackupPlace,
  metadata: Uint8Array | null,
  others: readonly StoredMarker[],
): Promise<StoredMarker | undefined> {
  const { id, prefix } = place
  const highest = [...others].sort((a, b) => (outranks(a, b) ? -1 : 1))[0]
  const token = randomBytes(16).toString('hex')
  const marker = {
    ...{ backupId: id, prefix, token, removing: false, metadata: metadata ?? new Uint8Array() },
    generation: 1 + (highest?.generation ?? 0),
    objectName: markerObjectName(id, token),
  }
  try {
    await putMarker(access, place, marker)
    return marker
  } catch (error) {
    if (!isFull(error)) throw error
    if (highest) return highest
    access.onWarning({
      code: 'DELETE_NOT_MARKED',
      message:
        `The store is full, so that the delete of backup ${id} cannot be marked as begun. ` +
        'If it is interrupted, delete the backup again with `force`.',
      backupId: id,
    })
    return undefined
  }
}

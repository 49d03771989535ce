import { randomBytes } from 'node:crypto'
import { isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import { decodeMarker, encodeMarker, type DeletionMarker } from '../format/deletion-marker.js'
import { markerNamesBegin, markerObjectName, parseMarkerName } from '../format/side-objects.js'
import { partsBody, readBytes, writeObject } from '../store/objects.js'
import type { WarningListener } from '../contracts/progress.js'
import type { Found, StoreAccess } from './find-target.js'

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
 * The marker at a place; undefined where there is none.
 * @throws `METADATA_INVALID` where it is damaged
 */
export async function readMarker(
  store: ObjectStore,
  { container, objectName, backupId }: MarkerPlace,
  options: StoreOptions,
): Promise<StoredMarker | undefined> {
  try {
    const bytes = await readBytes(store, container, objectName, options)
    return { ...decodeMarker(bytes, backupId, { container, objectName }), objectName }
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/** Which backup's markers: two sets of objects may have one id. */
export interface MarkedBackup {
  readonly id: string
  readonly container: string
  readonly prefix: string
}

/** Lists a backup's markers, and reads them. */
export async function listMarkers(
  store: ObjectStore,
  { id, container, prefix }: MarkedBackup,
  options: StoreOptions,
): Promise<Markers> {
  const readable: StoredMarker[] = []
  const damaged: string[] = []
  for await (const objectName of store.getContainerEntries(container, markerNamesBegin(id), options)) {
    if (parseMarkerName(objectName) !== id) continue
    try {
      const marker = await readMarker(store, { container, objectName, backupId: id }, options)
      if (marker?.prefix === prefix) readable.push(marker)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      damaged.push(objectName)
    }
  }
  return { readable, damaged }
}

/**
 * Whether a container has objects of which the name contains an id, markers aside: without any, a marker of that id that
 * cannot be read hides no backup.
 */
export async function mayHideBackup(
  store: ObjectStore,
  { container, backupId }: MarkerPlace,
  options: StoreOptions,
): Promise<boolean> {
  for await (const objectName of store.getContainerEntries(container, '', options)) {
    if (objectName.includes(backupId) && parseMarkerName(objectName) === undefined) return true
  }
  return false
}

/** Writes a marker that outranks those that are there. */
export async function writeMarker(
  store: ObjectStore,
  { id, container, prefix }: MarkedBackup,
  metadata: Uint8Array,
  others: readonly StoredMarker[],
  options: StoreOptions,
): Promise<StoredMarker> {
  const token = randomBytes(16).toString('hex')
  const generation = 1 + others.reduce((highest, other) => Math.max(highest, other.generation), 0)
  const marker = { backupId: id, prefix, token, generation, removing: false, metadata }
  const objectName = markerObjectName(id, token)
  await putMarker(store, container, { ...marker, objectName }, options)
  return { ...marker, objectName }
}

/** Writes a marker under its name, over an older state of it. */
export function putMarker(
  store: ObjectStore,
  container: string,
  marker: StoredMarker,
  options: StoreOptions,
): Promise<void> {
  const body = partsBody(encodeMarker(marker))
  return writeObject(store, container, marker.objectName, body, { ...options, extraMetadata: null })
}

/** Whether the delete of the first marker decides, and not that of the second. A total order. */
export function outranks(a: DeletionMarker, b: DeletionMarker): boolean {
  return a.generation === b.generation ? a.token > b.token : a.generation > b.generation
}

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

import { createHash, randomBytes } from 'node:crypto'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import {
  markerNamesBegin,
  markerObjectName,
  metadataObjectName,
  objectNameProblem,
  parseMarkerName,
} from '../format/object-names.js'
import { parseMetadata, type ObjectPlace } from '../format/metadata-reader.js'
import { isUnreadable, type MarkerPlace } from '../catalog/store-places.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupMetadata } from '../format/metadata.js'
import { bytesBody, partsBody, readBytes, writeObject } from '../store/objects.js'

/**
 * The content of a marker: which backup is being deleted, and the bytes of its `_metadata`, so that an interrupted delete
 * can be completed or undone.
 */
export interface DeletionMarker {
  readonly backupId: string
  readonly prefix: string
  /** Of the run that wrote the marker. */
  readonly token: string
  /** One more than the highest of the markers that its run found: of concurrent deletes the highest decides. */
  readonly generation: number
  /** Whether its run found no dependents and removes the objects: a removal cannot be undone. */
  readonly removing: boolean
  /** The bytes of `_metadata`, as they were; empty where it could not be read. */
  readonly metadata: Uint8Array
}

/** The first line is far shorter: a prefix of 1 KiB, an id, two sums. */
const MAX_HEADER_BYTES = 16 * 1024

/** A line of JSON, then the bytes of `_metadata`. */
export function encodeMarker(marker: DeletionMarker): readonly Uint8Array[] {
  const { backupId, prefix, token, generation, removing, metadata } = marker
  const header = {
    version: '1',
    backup_id: backupId,
    prefix,
    token,
    generation,
    removing,
    metadata_bytes: metadata.byteLength,
    metadata_sha256: sha256Of(metadata),
  }
  return [Buffer.from(`${JSON.stringify(header)}\n`), metadata]
}

/** @throws `METADATA_INVALID` where it is damaged, or of another backup than its name says */
export function decodeMarker(bytes: Uint8Array, backupId: string, place: ObjectPlace): DeletionMarker {
  const headerEnd = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a)
  const metadata = bytes.subarray(headerEnd + 1)
  const header = headerEnd < 0 ? null : parseHeader(bytes.subarray(0, headerEnd))
  if (header === null) throw invalid(place, 'its first line is not a JSON object of the expected form')
  const { prefix, token, generation, removing } = header
  if (header.version !== '1') throw invalid(place, 'its version is not 1')
  if (header.backup_id !== backupId) throw invalid(place, 'its backup id differs from the one in its name')
  if (typeof prefix !== 'string' || objectNameProblem(prefix) !== null || !prefix.includes(backupId)) {
    throw invalid(place, 'its prefix does not belong to that backup')
  }
  if (typeof token !== 'string') throw invalid(place, 'it has no token')
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1) {
    throw invalid(place, 'its generation is not a whole number of at least 1')
  }
  if (typeof removing !== 'boolean')
    throw invalid(place, 'it does not state whether objects are being removed')
  if (header.metadata_bytes !== metadata.byteLength || header.metadata_sha256 !== sha256Of(metadata)) {
    throw invalid(place, 'the metadata in it has another length or SHA-256 than stated')
  }
  return { backupId, prefix, token, generation, removing, metadata }
}

/** The first line before it is checked. */
interface Header {
  readonly version?: unknown
  readonly backup_id?: unknown
  readonly prefix?: unknown
  readonly token?: unknown
  readonly generation?: unknown
  readonly removing?: unknown
  readonly metadata_bytes?: unknown
  readonly metadata_sha256?: unknown
}

function parseHeader(line: Uint8Array): Header | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(line).toString())
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function invalid({ container, objectName }: ObjectPlace, why: string): BackupError {
  return new BackupError(
    'METADATA_INVALID',
    `Cannot read ${objectName} in ${container}, the marker of a delete that did not finish: ${why}.`,
    { container, objectName },
  )
}

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

import { createHash, randomBytes } from 'node:crypto'
import type { MarkerLocation } from '../catalog/store-index.js'
import type { WarningListener } from '../contracts/progress.js'
import { isBackupError } from '../errors/backup-error.js'
import { Fields, invalidJson, parseJsonText, type JsonSubject } from '../format/json.js'
import type { Manifest } from '../format/manifest.js'
import { parseManifest, type ObjectLocation } from '../format/manifest-reader.js'
import {
  markerNamePrefix,
  markerObjectName,
  manifestObjectName,
  objectNameProblem,
  parseMarkerName,
} from '../format/object-names.js'
import { ifReadable, isUnreadable, type BackupLocation, type StoreAccess } from '../store/access.js'
import { bytesBody, partsBody } from '../store/objects.js'

/** A backup by its location: two sets of objects may have the same id. */
export interface LocatedBackup extends BackupLocation {
  readonly id: string
}

/**
 * An object that marks a backup as being deleted: its name, and its content, which is a line of JSON and the bytes of
 * `_metadata`, so that an interrupted delete can be completed or rolled back.
 */
export interface Marker {
  readonly objectName: string
  readonly backupId: string
  readonly prefix: string
  /** Of the run that wrote the marker. */
  readonly token: string
  /** One more than the highest of the markers that its run found: of concurrent deletes the highest decides. */
  readonly generation: number
  /** Whether its run found no dependents and removes the objects: a removal cannot be rolled back. */
  readonly removing: boolean
  /** The bytes of `_metadata`, as they were; empty where it could not be read. */
  readonly manifestBytes: Uint8Array
}

/** The markers of one backup. */
export interface Markers {
  readonly readable: readonly Marker[]
  /** Names of those that cannot be read. */
  readonly damaged: readonly string[]
}

/** The first line is far shorter: a prefix of 1 KiB, an id, two sums. */
const MAX_HEADER_BYTES = 16 * 1024

function encodeMarker(marker: Marker): readonly Uint8Array[] {
  const { backupId, prefix, token, generation, removing, manifestBytes } = marker
  const header = {
    version: '1',
    backup_id: backupId,
    prefix,
    token,
    generation,
    removing,
    metadata_bytes: manifestBytes.byteLength,
    metadata_sha256: sha256Of(manifestBytes),
  }
  return [Buffer.from(`${JSON.stringify(header)}\n`), manifestBytes]
}

/** @throws `METADATA_INVALID` where it is damaged, or of another backup than its name says */
function decodeMarker(bytes: Uint8Array, backupId: string, location: ObjectLocation): Marker {
  const { container, objectName } = location
  const subject: JsonSubject = {
    what: `The marker of an unfinished delete, ${objectName} in ${container},`,
    next: 'Delete the backup again, with `force` if that is rejected.',
    ...{ container, objectName },
  }
  const headerEnd = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a)
  if (headerEnd < 0) throw invalidJson(subject, 'its first line is not complete')
  const manifestBytes = bytes.subarray(headerEnd + 1)
  const fields = new Fields(parseJsonText(bytes.subarray(0, headerEnd), subject), subject)
  const equals = (expected: string) => (text: string) => (text === expected ? null : `is not ${expected}`)
  fields.text('version', equals('1'))
  fields.text('backup_id', equals(backupId))
  const marker = {
    ...{ objectName, backupId, manifestBytes },
    prefix: fields.text('prefix', (text) =>
      text.includes(backupId) ? objectNameProblem(text) : 'does not contain the id of the backup',
    ),
    token: fields.text('token'),
    generation: fields.integer('generation', 1),
    removing: fields.boolean('removing'),
  }
  fields.integer('metadata_bytes', manifestBytes.byteLength, manifestBytes.byteLength)
  fields.text('metadata_sha256', equals(sha256Of(manifestBytes)))
  fields.finish()
  return marker
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Reads a marker; undefined where it does not exist.
 *
 * @throws BackupError `METADATA_INVALID` where it is damaged
 */
export async function readMarker(access: StoreAccess, location: MarkerLocation): Promise<Marker | undefined> {
  const { container, objectName, backupId } = location
  try {
    return decodeMarker(await access.read(container, objectName), backupId, { container, objectName })
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/** Lists a backup's markers, and reads them. */
export async function listMarkers(access: StoreAccess, backup: LocatedBackup): Promise<Markers> {
  const { id, container, prefix } = backup
  const readable: Marker[] = []
  const damaged: string[] = []
  for await (const objectName of access.names(container, markerNamePrefix(id))) {
    if (parseMarkerName(objectName) !== id) continue
    try {
      const marker = await readMarker(access, { container, objectName, backupId: id })
      if (marker?.prefix === prefix) readable.push(marker)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      damaged.push(objectName)
    }
  }
  return { readable, damaged }
}

/**
 * Whether a container has objects, other than markers, whose names contain an id. Where it has none, a marker of that id
 * that cannot be read hides no backup.
 */
export async function mayHideBackup(
  access: StoreAccess,
  { container, backupId }: MarkerLocation,
): Promise<boolean> {
  for await (const objectName of access.names(container)) {
    if (objectName.includes(backupId) && parseMarkerName(objectName) === undefined) return true
  }
  return false
}

/** Parses the bytes of a backup's `_metadata`, as a marker has them. */
export function parseManifestBytes(
  bytes: Uint8Array,
  { container, prefix }: BackupLocation,
): Promise<Manifest> {
  return parseManifest(bytesBody(bytes).stream(), { container, objectName: manifestObjectName(prefix) })
}

/** Does the same, and returns undefined for bytes that are damaged or missing. */
export async function parseIfReadable(
  bytes: Uint8Array | null,
  location: BackupLocation,
): Promise<Manifest | undefined> {
  return bytes === null ? undefined : ifReadable(parseManifestBytes(bytes, location))
}

/** Whether the delete of the first marker decides, and not that of the second. A total order. */
export function outranks(a: Marker, b: Marker): boolean {
  return a.generation === b.generation ? a.token > b.token : a.generation > b.generation
}

/**
 * Writes a marker under its name, over an older state of it.
 *
 * @returns false where the store is full, and keeps the old one: a backup can be deleted all the same, which frees space
 */
export async function putMarker(access: StoreAccess, container: string, marker: Marker): Promise<boolean> {
  try {
    await access.write(container, marker.objectName, partsBody(encodeMarker(marker)))
    return true
  } catch (error) {
    if (isBackupError(error, 'NO_SPACE') || isBackupError(error, 'QUOTA_EXCEEDED')) return false
    throw error
  }
}

/**
 * Writes the marker of a new delete, which outranks the others. On a full store the delete takes over the highest of the
 * others, or continues without a marker, with a warning.
 */
export async function writeMarker(
  access: StoreAccess,
  { id, container, prefix }: LocatedBackup,
  manifestBytes: Uint8Array | null,
  others: readonly Marker[],
  onWarning: WarningListener,
): Promise<Marker | undefined> {
  const highest = [...others].sort((a, b) => (outranks(a, b) ? -1 : 1))[0]
  const token = randomBytes(16).toString('hex')
  const marker = {
    ...{ backupId: id, prefix, token, removing: false, manifestBytes: manifestBytes ?? new Uint8Array() },
    generation: 1 + (highest?.generation ?? 0),
    objectName: markerObjectName(id, token),
  }
  if (await putMarker(access, container, marker)) return marker
  if (!highest)
    onWarning({
      code: 'DELETE_NOT_MARKED',
      message: `The store is full, so that the delete of backup ${id} cannot be marked as begun. If it is interrupted, delete the backup again with \`force\`.`,
      backupId: id,
    })
  return highest
}

import type { RestoredVolumeMetadata } from '../contracts/requests.js'
import type { JsonValue } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { invalidJson, isJsonObject, parseJsonText, type JsonObject, type JsonSubject } from './json.js'
import { pythonDumps } from './python-json.js'

/** The fields of the volume that Cinder restores; the keys are columns of its database. */
const restoredBaseKeys: ReadonlyMap<JsonValue | undefined, readonly string[]> = new Map([
  [1, ['display_name', 'display_description']],
  [2, ['display_name', 'display_description', 'encryption_key_id']],
])

const given: JsonSubject = {
  code: 'OPTION_INVALID',
  what: '`volumeMetadata`',
  next: 'Pass an object, or a string that holds the JSON of one.',
}

const stored: JsonSubject = {
  what: 'The volume metadata (`volume_meta`) of the backup',
  next: 'The data of the volume is not concerned: restore it, and set names and properties by hand.',
}

/**
 * Returns the text for `volume_meta`. A string is kept unchanged, as Cinder wrote it; an object is encoded as Cinder does.
 *
 * @throws BackupError `OPTION_INVALID` for a string that is not the JSON of an object, and for numbers that JSON or
 * JavaScript cannot hold.
 */
export function encodeVolumeMetadata(meta: string | JsonObject | null): string | null {
  if (meta === null) return null
  const text = typeof meta === 'string' ? meta : encoded(meta)
  if (!isJsonObject(parseJsonText(text, given))) throw invalidJson(given, 'it is not a JSON object')
  return text
}

function encoded(meta: JsonObject): string {
  try {
    return pythonDumps(meta)
  } catch (error) {
    // Stack overflow.
    if (error instanceof RangeError) throw invalidJson(given, 'it is nested too deep, or contains itself')
    throw error
  }
}

/**
 * What a restore returns of `volume_meta`: display_name, display_description and, from version 2 on,
 * encryption_key_id of the volume; all of its own and its image's metadata. Null where the backup has none.
 *
 * @throws BackupError `VOLUME_METADATA_UNSUPPORTED` for a version other than 1 and 2, `METADATA_INVALID` for a text that
 * is something else.
 */
export function restoredVolumeMetadata(volumeMeta: string | null): RestoredVolumeMetadata | null {
  if (volumeMeta === null || volumeMeta === '') return null
  const meta = parseJsonText(volumeMeta, stored)
  if (!isJsonObject(meta)) throw invalidJson(stored, 'it is not a JSON object')
  const version = meta['version']
  if (version === undefined) throw invalidJson(stored, 'it has no `version`')
  const baseKeys = restoredBaseKeys.get(version)
  if (baseKeys === undefined) {
    throw new BackupError(
      'VOLUME_METADATA_UNSUPPORTED',
      `Unsupported backup metadata version (${pythonDumps(version).slice(0, 40)}). Stowage reads versions 1 and 2. ${stored.next ?? ''}`,
    )
  }
  const base = Object.entries(part(meta, 'volume-base-metadata')).filter(([key]) => baseKeys.includes(key))
  return {
    base: Object.fromEntries(base),
    volume: part(meta, 'volume-metadata'),
    glance: part(meta, 'volume-glance-metadata'),
  }
}

/** An absent part is empty: Cinder omits what a volume does not have. */
function part(meta: JsonObject, key: string): JsonObject {
  const value = meta[key]
  if (value === undefined) return {}
  if (!isJsonObject(value)) throw invalidJson(stored, `\`${key}\` is not an object`)
  return value
}

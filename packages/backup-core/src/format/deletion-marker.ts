import { createHash } from 'node:crypto'
import { BackupError } from '../errors/backup-error.js'
import { objectNameProblem } from './object-names.js'
import type { ObjectPlace } from './metadata-reader.js'

/**
 * What a marker says: which backup is being deleted, and what its `_metadata` held, so that a delete that was interrupted
 * can be finished or taken back.
 */
export interface DeletionMarker {
  readonly backupId: string
  readonly prefix: string
  /** Of the run that wrote the marker. */
  readonly token: string
  /** One more than the highest of the markers that its run found: of deletes that run at once the highest decides. */
  readonly generation: number
  /** Whether its run found no dependents and removes the objects: what is removed cannot be taken back. */
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
  if (header === null) throw invalid(place, 'its first line is not the JSON object that it should be')
  const { prefix, token, generation, removing } = header
  if (header.version !== '1') throw invalid(place, 'it is of another version than 1')
  if (header.backup_id !== backupId) throw invalid(place, 'it is of another backup than its name says')
  if (typeof prefix !== 'string' || objectNameProblem(prefix) !== null || !prefix.includes(backupId)) {
    throw invalid(place, 'its prefix is not one of that backup')
  }
  if (typeof token !== 'string') throw invalid(place, 'it has no token')
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1) {
    throw invalid(place, 'its generation is not a whole number of at least 1')
  }
  if (typeof removing !== 'boolean') throw invalid(place, 'it does not say whether objects are being removed')
  if (header.metadata_bytes !== metadata.byteLength || header.metadata_sha256 !== sha256Of(metadata)) {
    throw invalid(place, 'the metadata in it is not as long as it was, or has another SHA-256')
  }
  return { backupId, prefix, token, generation, removing, metadata }
}

/** What the first line may hold, before it is checked. */
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

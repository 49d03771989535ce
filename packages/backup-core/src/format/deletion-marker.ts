import { createHash } from 'node:crypto'
import { BackupError } from '../errors/backup-error.js'
import { objectNameProblem } from './object-names.js'
import type { ObjectPlace } from './metadata-reader.js'

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

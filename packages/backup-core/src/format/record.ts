import type { BackupRecord, JsonValue } from '../contracts/records.js'
import { formatRecordTimestamp, parseCreatedAt } from './timestamps.js'
import type { ExportedRecord } from '../contracts/requests.js'
import type { BackupError } from '../errors/backup-error.js'
import { invalidJson, isJsonObject, parseJsonText, type JsonSubject } from './json.js'
import { containerNameProblem, idProblem, objectNameProblem } from './object-names.js'
import { pythonDumps } from './python-json.js'

/** Cinder counts sizes in GiB. */
export const bytesInGib = 2 ** 30

/** A size in whole GiB, at least 1: Cinder refuses volumes of size 0. */
export function sizeInGib(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / bytesInGib))
}

/** The key of `driver_info` for the exact size. Cinder passes `driver_info` to a driver that drops it. */
export const sizeBytesKey = 'stowage_size_bytes'

/** Fields that only Cinder has. Its import overwrites or drops all of them. */
export interface RecordExtra {
  readonly userId?: string | null
  readonly projectId?: string | null
  readonly host?: string | null
  readonly availabilityZone?: string | null
  /** Kept in `driver_info`, beside our own key. */
  readonly driverInfo?: { readonly [key: string]: JsonValue }
}

/** The record as Cinder's `Backup.encode_record` lays it out: `driver_info`, then its fields in their order. */
export function recordFields(
  record: BackupRecord,
  serviceName: string,
  extra: RecordExtra,
): { readonly [key: string]: JsonValue } {
  const created = parseCreatedAt(record.createdAt)
  const createdAt = created === null ? null : formatRecordTimestamp(created)
  return {
    driver_info: { ...extra.driverInfo, [sizeBytesKey]: record.sizeBytes },
    id: record.id,
    user_id: extra.userId ?? null,
    project_id: extra.projectId ?? null,
    volume_id: record.volumeId,
    host: extra.host ?? null,
    availability_zone: extra.availabilityZone ?? null,
    container: record.container,
    parent_id: record.parentId,
    status: 'available',
    fail_reason: null,
    size: sizeInGib(record.sizeBytes),
    display_name: record.name,
    display_description: record.description,
    service_metadata: record.prefix,
    service: serviceName,
    object_count: record.objectCount,
    temp_volume_id: null,
    temp_snapshot_id: null,
    num_dependent_backups: 0,
    snapshot_id: null,
    // Cinder's incrementals take the backup with the newest data as their parent.
    data_timestamp: createdAt,
    restore_volume_id: null,
    metadata: {},
    encryption_key_id: null,
    created_at: createdAt,
    updated_at: null,
    deleted_at: null,
    deleted: false,
  }
}

/** A record that was imported. */
export interface DecodedRecord extends BackupRecord {
  /** Cinder's name of the driver that the backup was made with. */
  readonly serviceName: string
  /** Whether `sizeBytes` is the volume's own; Cinder's records have whole GiB. */
  readonly sizeIsExact: boolean
}

type JsonObject = Readonly<Record<string, JsonValue>>

/** A record is some hundred bytes; a description may have some more. */
const maxRecordBytes = 1024 * 1024

const subject: JsonSubject = {
  code: 'RECORD_INVALID',
  what: 'The backup record',
  next: 'Export it again, and copy all of `backup_service` and `backup_url`.',
}

/** A backup's record in the form that `cinder backup-import` takes, and {@link decodeRecord}. */
export function encodeRecord(
  record: BackupRecord,
  serviceName: string,
  extra: RecordExtra = {},
): ExportedRecord {
  const json = pythonDumps(recordFields(record, serviceName, extra))
  return { backupService: serviceName, backupUrl: Buffer.from(json).toString('base64') }
}

/**
 * Reads a record that Cinder or {@link encodeRecord} wrote. All input is validated: names cannot lead out of a container,
 * and base64 and JSON are parsed strictly, where Python's parsers skip unknown characters.
 *
 * @throws BackupError `RECORD_INVALID`
 */
export function decodeRecord(exported: ExportedRecord): DecodedRecord {
  if (typeof exported.backupUrl !== 'string' || typeof exported.backupService !== 'string') {
    throw invalid('`backupService` and `backupUrl` must be strings')
  }
  const fields = parseJsonText(decodeBase64(exported.backupUrl), subject, { maxBytes: maxRecordBytes })
  if (!isJsonObject(fields)) throw invalid('it is not a JSON object')
  const created = parseCreatedAt(text(fields, 'created_at'))
  if (created === null) throw invalid('`created_at` is not a time')
  const id = checked(fields, 'id', idProblem)
  const prefix = checked(fields, 'service_metadata', objectNameProblem)
  // Every driver's prefix contains the id: otherwise it belongs to another backup.
  if (!prefix.includes(id)) throw invalid('`service_metadata` does not contain the `id`')
  return {
    id,
    volumeId: checked(fields, 'volume_id', idProblem),
    parentId: nullableText(fields, 'parent_id') === null ? null : checked(fields, 'parent_id', idProblem),
    container: checked(fields, 'container', containerNameProblem),
    prefix,
    name: nullableText(fields, 'display_name'),
    description: nullableText(fields, 'display_description'),
    createdAt: formatRecordTimestamp(created),
    ...size(fields),
    objectCount: integer('object_count', fields['object_count'] ?? 0),
    serviceName: exported.backupService,
  }
}

/** The whole GiB of Cinder, or the bytes that we added to them. */
function size(fields: JsonObject): { sizeBytes: number; sizeIsExact: boolean } {
  const sizeGib = integer('size', fields['size'])
  const driverInfo = fields['driver_info']
  const exact = isJsonObject(driverInfo) ? driverInfo[sizeBytesKey] : undefined
  if (exact !== undefined) {
    const sizeBytes = integer(`driver_info.${sizeBytesKey}`, exact)
    if (sizeInGib(sizeBytes) !== sizeGib) throw invalid('its two sizes differ')
    return { sizeBytes, sizeIsExact: true }
  }
  if (!Number.isSafeInteger(sizeGib * bytesInGib)) throw invalid('`size` is too large')
  return { sizeBytes: sizeGib * bytesInGib, sizeIsExact: false }
}

function decodeBase64(text: string): Uint8Array {
  if (text.length > maxRecordBytes * 2) throw invalid('`backupUrl` is too long')
  const bytes = Buffer.from(text, 'base64')
  // Node.js skips characters that are not base64: encoding the result again shows it.
  if (bytes.toString('base64') !== text) throw invalid('`backupUrl` is not base64')
  return bytes
}

function text(fields: JsonObject, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw invalid(`\`${key}\` must be a string`)
  return value
}

function nullableText(fields: JsonObject, key: string): string | null {
  return fields[key] === undefined || fields[key] === null ? null : text(fields, key)
}

function checked(fields: JsonObject, key: string, check: (text: string) => string | null): string {
  const value = text(fields, key)
  const problem = check(value)
  if (problem !== null) throw invalid(`\`${key}\` ${problem}`)
  return value
}

function integer(key: string, value: JsonValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(`\`${key}\` must be an integer from 0 on`)
  }
  return value
}

function invalid(problem: string): BackupError {
  return invalidJson(subject, problem)
}

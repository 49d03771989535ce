import type { BackupRecord } from '../contracts/records.js'
import { formatRecordTimestamp, parseCreatedAt } from './timestamps.js'
import type { ExportedRecord } from '../contracts/requests.js'
import { Fields, invalidJson, parseJsonText, type JsonObject, type JsonSubject } from './json.js'
import { containerNameProblem, idProblem, objectNameProblem } from './object-names.js'
import { pythonDumps } from './python-json.js'

/** Cinder counts sizes in GiB. */
const bytesInGib = 2 ** 30

/** A size in whole GiB, at least 1: Cinder refuses volumes of size 0. */
function sizeInGib(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / bytesInGib))
}

/** The key of `driver_info` for the exact size. Cinder passes `driver_info` to a driver that drops it. */
const sizeBytesKey = 'stowage_size_bytes'

/** The record as Cinder's `Backup.encode_record` lays it out: `driver_info`, then its fields in their order. */
function recordFields(record: BackupRecord, serviceName: string): JsonObject {
  const created = parseCreatedAt(record.createdAt)
  const createdAt = created === null ? null : formatRecordTimestamp(created)
  return {
    driver_info: { [sizeBytesKey]: record.sizeBytes },
    id: record.id,
    user_id: null,
    project_id: null,
    volume_id: record.volumeId,
    host: null,
    availability_zone: null,
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

/** A record is some hundred bytes; a description may have some more. */
const maxRecordBytes = 1024 * 1024

const subject: JsonSubject = {
  code: 'RECORD_INVALID',
  what: 'The backup record',
  next: 'Export it again, and copy all of `backup_service` and `backup_url`.',
}

/** A backup's record in the form that `cinder backup-import` takes, and {@link decodeRecord}. */
export function encodeRecord(record: BackupRecord, serviceName: string): ExportedRecord {
  const json = pythonDumps(recordFields(record, serviceName))
  return { backupService: serviceName, backupUrl: Buffer.from(json).toString('base64') }
}

/**
 * Reads a record that Cinder or {@link encodeRecord} wrote. All of it is validated: names cannot lead out of a container,
 * and base64 and JSON are parsed strictly, where Python's parsers skip unknown characters.
 *
 * @returns the location of the backup: all else is read from there, where it is exact
 * @throws BackupError `RECORD_INVALID`
 */
export function decodeRecord({
  backupService,
  backupUrl,
}: ExportedRecord): Pick<BackupRecord, 'id' | 'container' | 'prefix'> {
  if (typeof backupUrl !== 'string' || typeof backupService !== 'string') {
    throw invalidJson(subject, '`backupService` and `backupUrl` must be strings')
  }
  const fields = new Fields(
    parseJsonText(decodeBase64(backupUrl), subject, { maxBytes: maxRecordBytes }),
    subject,
  )
  const id = fields.text('id', idProblem)
  const container = fields.text('container', containerNameProblem)
  // Every driver's prefix contains the id: otherwise it belongs to another backup.
  const prefix = fields.text('service_metadata', (text) =>
    text.includes(id) ? objectNameProblem(text) : 'does not contain the `id`',
  )
  fields.text('volume_id', idProblem)
  fields.nullableText('parent_id', idProblem)
  fields.nullableText('display_name')
  fields.nullableText('display_description')
  fields.text('created_at', (text) => (parseCreatedAt(text) === null ? 'is not a time' : null))
  fields.nullableInteger('object_count', 0)
  const sizeGib = fields.integer('size', 0, Math.ceil(Number.MAX_SAFE_INTEGER / bytesInGib))
  const info = new Fields(fields.nullableObject('driver_info') ?? {}, subject)
  const sizeBytes = info.nullableInteger(sizeBytesKey, 0)
  if (sizeBytes !== null && sizeInGib(sizeBytes) !== sizeGib)
    fields.report('size', 'differs from the size in bytes')
  fields.finish()
  info.finish()
  return { id, container, prefix }
}

function decodeBase64(text: string): Uint8Array {
  if (text.length > maxRecordBytes * 2) throw invalidJson(subject, '`backupUrl` is too long')
  const bytes = Buffer.from(text, 'base64')
  // Node.js skips characters that are not base64: encoding the result again shows it.
  if (bytes.toString('base64') !== text) throw invalidJson(subject, '`backupUrl` is not base64')
  return bytes
}

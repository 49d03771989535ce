import type { BackupRecord } from '../driver/types.js'
import type { JsonValue } from '../format/json-value.js'
import { formatRecordTimestamp, parseCreatedAt } from '../format/timestamps.js'

/** Cinder counts sizes in GiB. */
export const bytesInGib = 2 ** 30

/** A size as Cinder has it: whole GiB, and never none, for it refuses volumes of size 0. */
export function sizeInGib(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / bytesInGib))
}

/** The key of `driver_info` that keeps the exact size: Cinder hands `driver_info` to a driver that drops it. */
export const sizeBytesKey = 'stowage_size_bytes'

/** What Cinder knows of a backup and Stowage does not. Its import overwrites or drops all of it. */
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

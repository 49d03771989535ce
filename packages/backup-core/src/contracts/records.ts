import type { StoreOptions } from './object-store.js'

/** A value that JSON can represent. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** The sizes of a backup in the store. */
export interface StoredSizes {
  /** The chunk size of the backup: the maximum number of bytes of the volume in one object. */
  readonly chunkSizeBytes: number
  /** The block size: the unit in which changes are detected. Incrementals use that of their parent. */
  readonly blockSizeBytes: number
  /** The total length of the data objects, after compression. */
  readonly storedDataBytes: number
  /** The total length of `_sha256file` and `_metadata`. The former takes 72 bytes per block of the volume. */
  readonly storedMetadataBytes: number
}

/**
 * A committed backup, as the catalog describes it. All of it can be read from the store alone; the {@link StoredSizes} only
 * for backups of a Stowage version that states them in the manifest.
 */
export interface BackupRecord extends Partial<StoredSizes> {
  /** Unique; a UUID unless the caller chose it. */
  readonly id: string
  readonly volumeId: string
  /** The backup that this one is based on; null for a full backup. */
  readonly parentId: string | null
  /** The container its objects are in. */
  readonly container: string
  /** The prefix of all its object names. Cinder's `service_metadata`. */
  readonly prefix: string
  readonly name: string | null
  readonly description: string | null
  /**
   * When the backup began, in ISO 8601 and UTC: `2026-01-01T00:00:00Z`. A value of another writer that cannot be parsed
   * as a time is returned unchanged.
   */
  readonly createdAt: string
  /** The volume's size in bytes when it was backed up. */
  readonly sizeBytes: number
  /**
   * Set if the size depends on a parent that was not found, and no manifest that was found states it: the volume has at
   * least `sizeBytes`. Stowage's own manifests state it.
   */
  readonly sizeIsMinimum?: true
  /** How many data objects this backup stored, without those of its ancestors. */
  readonly objectCount: number
  /**
   * The compression algorithms of those objects, by the names in the manifest (`none` included), in alphabetical order: at
   * most 16. If one is not Cinder's, Cinder cannot restore this backup or its incrementals. Undefined in a record that
   * the caller's catalog kept without it.
   */
  readonly compressions?: readonly string[]
}

/** The record of a backup that was just made, and the space that it takes in the store. */
export interface BackupResult extends Omit<BackupRecord, keyof StoredSizes>, StoredSizes {
  /** The total length of its objects as stored: data and metadata. */
  readonly storedBytes: number
}

/** A backup by its id, or by its record where the caller has one. */
export type BackupReference = string | BackupRecord

/** The backup that is about to be written, for a driver. */
export interface NewBackup {
  readonly id: string
  readonly volumeId: string
  readonly parentId: string | null
  /** The container that the caller requested. */
  readonly container: string | null
  readonly name: string | null
  readonly description: string | null
  /** The time in object names and in `created_at`; whole seconds. */
  readonly createdAt: Date
}

/** Extra metadata of a driver, kept in `_metadata` and passed to the readers and writers of data objects. */
export type ExtraMetadata = { readonly [key: string]: JsonValue } | null

/** Options of a search for a backup. */
export interface CatalogLookup extends StoreOptions {
  /**
   * A container that is searched first, even if the driver does not list it: that of a parent or child, or the requested
   * one.
   */
  readonly nearContainer?: string
}

/** The backups to list. */
export interface CatalogFilter extends CatalogLookup {
  readonly volumeId?: string
  readonly container?: string
  /** Only backups whose id begins with this. The caller's catalog may ignore it: the driver filters too. */
  readonly idPrefix?: string
}

/**
 * Finds backups. The default catalog reads the store's own `_metadata` objects and needs no database. A caller may pass
 * another one (Cinder's `db_driver`), which must return the records that were put into it.
 */
export interface BackupCatalog {
  /** Returns the record of a backup, or undefined. */
  get(backupId: string, options?: CatalogLookup): Promise<BackupRecord | undefined>
  /** Yields the backups that match the filter, in any order. */
  list(filter?: CatalogFilter): AsyncIterable<BackupRecord>
  /** Called with the record of a backup after its commit, and with an imported record. */
  put(record: BackupRecord, options?: StoreOptions): Promise<void>
  /** Called after the manifest of a backup was deleted. An unknown id is not an error. */
  remove(backupId: string, options?: StoreOptions): Promise<void>
}

import type { StoreOptions } from './object-store.js'

/** What JSON can hold. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** The sizes of a backup in the store. */
export interface StoredSizes {
  /** The chunk size that it was made with: the maximum number of bytes of the volume in one object. */
  readonly chunkSizeBytes: number
  /** The block size, at which changes are found: its incrementals use it too. */
  readonly blockSizeBytes: number
  /** The length of the data objects after compression. */
  readonly storedDataBytes: number
  /** The `_sha256file` and `_metadata` objects. The former takes 72 bytes for each block of the volume. */
  readonly storedMetadataBytes: number
}

/**
 * A committed backup, as the catalog knows it. All of it can be found again from the store alone; the {@link StoredSizes}
 * only of what Stowage wrote, from the version on that states them.
 */
export interface BackupRecord extends Partial<StoredSizes> {
  /** Unique; a UUID unless the caller chose it. */
  readonly id: string
  readonly volumeId: string
  /** The backup this one adds to; null for a full backup. */
  readonly parentId: string | null
  /** The container its objects are in. */
  readonly container: string
  /** The prefix of all its object names. Cinder's `service_metadata`. */
  readonly prefix: string
  readonly name: string | null
  readonly description: string | null
  /**
   * When the backup was begun, in ISO 8601 and UTC: `2026-01-01T00:00:00Z`. A value of another writer that cannot be parsed
   * as a time is given unchanged.
   */
  readonly createdAt: string
  /** The volume's size in bytes when it was backed up. */
  readonly sizeBytes: number
  /**
   * Set where the size rests on a parent that was not found, and no manifest that was found states it: the volume has
   * at least `sizeBytes`. Stowage's own manifests state it.
   */
  readonly sizeIsMinimum?: true
  /** How many data objects this backup alone stored. */
  readonly objectCount: number
  /**
   * The compressions of those objects, by the names that the store records (`none` among them), in alphabetical order: at
   * most 16. With a name that is not Cinder's, Cinder cannot restore this backup, nor those on top of it. Undefined
   * in a record that a catalog of the caller's kept without it.
   */
  readonly compressions?: readonly string[]
}

/** The record of a backup that was just made, and what it took of the store. */
export interface BackupResult extends Omit<BackupRecord, keyof StoredSizes>, StoredSizes {
  /** Everything that this backup stored, as stored: data and metadata. */
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
  /** The moment from which names and `created_at` are made; whole seconds. */
  readonly createdAt: Date
}

/** Extra metadata of a driver, kept in `_metadata` and passed to its readers and writers. */
export type ExtraMetadata = { readonly [key: string]: JsonValue } | null

/** Where to search. */
export interface CatalogLookup extends StoreOptions {
  /**
   * A container to search in addition to the known ones: that of a parent or child, or the requested one. For a store that
   * cannot list its containers it is the only other one.
   */
  readonly nearContainer?: string
}

/** The backups to list. */
export interface CatalogFilter extends CatalogLookup {
  readonly volumeId?: string
  readonly container?: string
  /** Only backups whose id begins so. The caller's catalog may ignore it: the driver filters too. */
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

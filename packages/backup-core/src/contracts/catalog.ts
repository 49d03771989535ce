import type { StoreOptions } from './object-store.js'
import type { BackupRecord } from './records.js'

/** Where to look. */
export interface CatalogLookup extends StoreOptions {
  /**
   * A container to look into beside those that are known: the one of a relative, or the one that was asked for. A
   * store that cannot list its containers knows no others.
   */
  readonly nearContainer?: string
}

/** What to list. */
export interface CatalogFilter extends CatalogLookup {
  readonly volumeId?: string
  readonly container?: string
  /** Only backups whose id begins so. A catalog of the caller's may ignore it: the driver leaves the others out. */
  readonly idPrefix?: string
}

/**
 * Where backups are found. The default one reads the store's own `_metadata` objects and needs no database; a caller
 * may bring one of their own (Cinder's `db_driver`), as long as it knows what it was told.
 */
export interface BackupCatalog {
  /** The record of a backup, or undefined. */
  get(backupId: string, options?: CatalogLookup): Promise<BackupRecord | undefined>
  /** Every backup that the filter lets through, in any order. */
  list(filter?: CatalogFilter): AsyncIterable<BackupRecord>
  /** Told of a backup after it is committed, and of a record that was imported. */
  put(record: BackupRecord, options?: StoreOptions): Promise<void>
  /** Told of a backup after its commit object is gone. An unknown id is no error. */
  remove(backupId: string, options?: StoreOptions): Promise<void>
}

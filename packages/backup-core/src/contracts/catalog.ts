import type { StoreOptions } from './object-store.js'
import type { BackupRecord } from './records.js'

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
  /** Called after the commit object of a backup was deleted. An unknown id is not an error. */
  remove(backupId: string, options?: StoreOptions): Promise<void>
}

import type { ChainLayer } from '../chain/chain.js'
import type { BackupCatalog, BackupRecord, CatalogFilter, CatalogLookup } from '../contracts/records.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { WarningListener } from '../contracts/progress.js'
import type { Manifest } from '../format/manifest.js'
import { StoreAccess, type BackupLocation } from '../store/access.js'
import { BackupLookup, type BackupFilter } from './backup-lookup.js'
import { sortOldestFirst } from './summary.js'

/**
 * The catalog without a database: the `_metadata` objects of the store. A list leaves out objects that cannot be read, with a
 * warning.
 *
 * A record's size is that of the manifests of its chain. It is exact, except where a volume shrank between two backups made
 * by Cinder: then it is the size before the shrink.
 */
export class StoreCatalog implements BackupCatalog {
  constructor(
    private readonly store: ObjectStore,
    private readonly onWarning: WarningListener,
  ) {}

  /** Finds backups for one operation, which may have its own listener. */
  lookup(options: StoreOptions, onWarning = this.onWarning): BackupLookup {
    return new BackupLookup(new StoreAccess(this.store, options), onWarning)
  }

  async get(backupId: string, options: CatalogLookup = {}): Promise<BackupRecord | undefined> {
    return (await this.lookup(options).find(backupId, options.nearContainer))?.record
  }

  async *list({ container, nearContainer, ...options }: CatalogFilter = {}): AsyncIterable<BackupRecord> {
    const near = container ?? nearContainer
    const filter = { ...options, ...(near === undefined ? {} : { nearContainer: near }) }
    for await (const record of this.lookup(options).list(filter)) {
      if (container === undefined || record.container === container) yield record
    }
  }

  /** Does nothing: the `_metadata` object is the entry. */
  put(): Promise<void> {
    return Promise.resolve()
  }

  /** Does nothing: the `_metadata` object is the entry, and was removed before. */
  remove(): Promise<void> {
    return Promise.resolve()
  }
}

/** Finds backups in a caller's catalog; in the store, those that other runs commit now and the catalog does not have yet. */
export class CallerCatalogLookup extends BackupLookup {
  constructor(
    access: StoreAccess,
    private readonly catalog: BackupCatalog,
    onWarning: WarningListener,
  ) {
    super(access, onWarning)
  }

  override async find(
    backupId: string,
    nearContainer?: string,
    prefix?: string,
  ): Promise<ChainLayer | undefined> {
    const near = nearContainer === undefined ? {} : { nearContainer }
    const record = await this.catalog.get(backupId, { ...this.access.options, ...near })
    if (record && prefix !== undefined && record.prefix !== prefix)
      return super.find(backupId, record.container, prefix)
    return record && this.open(record)
  }

  /** The catalog knows where each parent is: guessing it would list a container that need not be listed otherwise. */
  override readAhead(child: BackupLocation, manifest: Manifest): Promise<void> {
    return manifest.ancestorIds ? super.readAhead(child, manifest) : Promise.resolve()
  }

  override async hasOther(backupId: string, location: BackupLocation): Promise<boolean> {
    const record = await this.catalog.get(backupId, {
      ...this.access.options,
      nearContainer: location.container,
    })
    if (record && (record.container !== location.container || record.prefix !== location.prefix)) return true
    return super.hasOther(backupId, location)
  }

  override listsContainer(): Promise<boolean> {
    return Promise.resolve(true)
  }

  override async *newestFirst(volumeId: string, nearContainer?: string): AsyncIterable<BackupRecord> {
    const records: BackupRecord[] = []
    const near = nearContainer === undefined ? {} : { nearContainer }
    for await (const record of this.list({ volumeId, ...near })) records.push(record)
    yield* sortOldestFirst(records).reverse()
  }

  override list(filter: BackupFilter): AsyncIterable<BackupRecord> {
    return this.catalog.list({ ...this.access.options, ...filter })
  }
}

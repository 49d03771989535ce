import { signalOptions, type ObjectStore, type StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupCatalog, CatalogFilter, CatalogLookup } from '../contracts/catalog.js'
import { StoreLookup } from './store-lookup.js'

/**
 * The catalog that needs no database: what the store's `_metadata` objects say. A backup is in it from the moment its
 * commit object is there. A list leaves out objects that cannot be read, with a warning, for they hide no other backup.
 *
 * A record's size is what the manifests of its chain say: exact, but for an incremental that Cinder wrote of a volume
 * that had shrunk (which Cinder's own volumes cannot), where it is the size before.
 */
export class StoreCatalog implements BackupCatalog {
  readonly #store: ObjectStore
  readonly #onWarning: WarningListener

  constructor(store: ObjectStore, onWarning: WarningListener) {
    this.#store = store
    this.#onWarning = onWarning
  }

  /** Finds backups for one operation, which may have a listener of its own. */
  lookup(options: StoreOptions, onWarning = this.#onWarning): StoreLookup {
    return new StoreLookup(this.#store, onWarning, signalOptions(options.signal))
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

  /** The commit object is the entry: there is nothing to note beside it. */
  put(): Promise<void> {
    return Promise.resolve()
  }

  /** The commit object is the entry: whoever calls this has removed it. */
  remove(): Promise<void> {
    return Promise.resolve()
  }
}

import { readMetadata, type ChainLayer, type ChainLookup } from '../chain/chain.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import type { BackupCatalog, CatalogFilter } from '../contracts/catalog.js'
import type { MarkerPlace } from './list-container.js'
import { inOrder } from './summary.js'

/** Finds backups with their manifests, for one operation: each listing and each manifest is read once. */
export interface BackupLookup extends ChainLookup {
  /** Whether a committed backup other than the one at this place has this id. */
  hasOther(backupId: string, place: BackupPlace): Promise<boolean>
  /** Where the markers of unfinished deletes of this backup are. */
  findMarkers(backupId: string): Promise<readonly MarkerPlace[]>
  /** Whether a search looks into this container; undefined where a catalog of the caller's names the backups. */
  searches(container: string): Promise<boolean | undefined>
  /** The backups of a volume, newest first: of each that is not taken, the manifest need not be read. */
  newestFirst(volumeId: string, nearContainer?: string): AsyncIterable<BackupRecord>
  /**
   * Whether there is a backup of each of these ids, by the names in the store: no manifest is read. False may mean that the
   * names do not tell.
   */
  areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean>
  /** Every backup, or every one of a volume, or those whose id begins so. */
  list(filter: BackupFilter): AsyncIterable<BackupRecord>
}

/** What to list. */
export type BackupFilter = Pick<CatalogFilter, 'nearContainer' | 'volumeId' | 'idPrefix'>

/** Where a backup's objects are. */
export interface BackupPlace {
  readonly container: string
  readonly prefix: string
}

/** The error for an id that is not in the catalog. */
export function backupNotFound(backupId: string): BackupError {
  return new BackupError(
    'BACKUP_NOT_FOUND',
    `There is no backup ${backupId} in this store. List the backups to see which there are; a backup without its metadata object was never finished.`,
    { backupId },
  )
}

/** The same, which says so where there is a backup whose delete did not finish. */
export async function backupNotFoundBy(lookup: BackupLookup, backupId: string): Promise<BackupError> {
  if ((await lookup.findMarkers(backupId)).length === 0) return backupNotFound(backupId)
  return new BackupError(
    'BACKUP_NOT_FOUND',
    `Backup ${backupId} is being deleted, or its delete was interrupted. Delete it again to finish that.`,
    { backupId },
  )
}

/** Finds backups in a catalog of the caller's, and their manifests in the store. */
export class OwnCatalogLookup implements BackupLookup {
  readonly #store: ObjectStore
  readonly #catalog: BackupCatalog
  readonly #options: StoreOptions
  readonly #stored: BackupLookup

  /** @param stored - finds what the catalog was not told of yet: backups that other runs commit now */
  constructor(store: ObjectStore, catalog: BackupCatalog, stored: BackupLookup, options: StoreOptions) {
    this.#store = store
    this.#catalog = catalog
    this.#stored = stored
    this.#options = options
  }

  async find(backupId: string, nearContainer?: string, prefix?: string): Promise<ChainLayer | undefined> {
    const near = nearContainer === undefined ? {} : { nearContainer }
    const record = await this.#catalog.get(backupId, { ...this.#options, ...near })
    if (record && prefix !== undefined && record.prefix !== prefix) {
      return this.#stored.find(backupId, record.container, prefix)
    }
    return record && this.open(record)
  }

  async open(record: BackupRecord): Promise<ChainLayer> {
    return { record, metadata: await readMetadata(this.#store, record, this.#options) }
  }

  async hasOther(backupId: string, place: BackupPlace): Promise<boolean> {
    const record = await this.#catalog.get(backupId, { ...this.#options, nearContainer: place.container })
    if (record && (record.container !== place.container || record.prefix !== place.prefix)) return true
    return this.#stored.hasOther(backupId, place)
  }

  findMarkers(backupId: string): Promise<readonly MarkerPlace[]> {
    return this.#stored.findMarkers(backupId)
  }

  searches(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async *newestFirst(volumeId: string, nearContainer?: string): AsyncIterable<BackupRecord> {
    const records: BackupRecord[] = []
    const near = nearContainer === undefined ? {} : { nearContainer }
    for await (const record of this.list({ volumeId, ...near })) records.push(record)
    yield* inOrder(records).reverse()
  }

  areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean> {
    return this.#stored.areListed(backupIds, nearContainer)
  }

  list(filter: BackupFilter): AsyncIterable<BackupRecord> {
    return this.#catalog.list({ ...this.#options, ...filter })
  }
}

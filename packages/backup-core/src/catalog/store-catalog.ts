import { readMetadataAt } from '../chain/chain.js'
import { sizeByManifest } from '../chain/volume-size.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { BackupMetadata } from '../format/metadata.js'
import { prefixOfMetadataObject } from '../format/object-names.js'
import type { WarningListener } from '../progress/progress.js'
import type { BackupCatalog, CatalogFilter, CatalogLookup } from './catalog.js'

/** Where a `_metadata` object is. */
interface Place {
  readonly container: string
  readonly prefix: string
  readonly objectName: string
}

interface Found extends Place {
  readonly metadata: BackupMetadata
}

/** How many `_metadata` objects are read at once. */
const READS_AT_ONCE = 8

/**
 * The catalog that needs no database: what the store's `_metadata` objects say. A backup is in it from the moment its
 * commit object is there. Objects that cannot be read are skipped with a warning, for they hide no other backup.
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

  async get(backupId: string, options: CatalogLookup = {}): Promise<BackupRecord | undefined> {
    const places = await this.#places(options)
    const found = await this.#find(backupId, places, options)
    if (!found) return undefined
    const ancestors = new Map([[backupId, found]])
    for (let next = found.metadata.parentId; next !== null && !ancestors.has(next);) {
      const parent = await this.#find(next, places, options)
      if (!parent) break
      ancestors.set(next, parent)
      next = parent.metadata.parentId
    }
    return toRecord(found, ancestors)
  }

  async *list(filter: CatalogFilter = {}): AsyncIterable<BackupRecord> {
    const places = await this.#places({ ...filter, nearContainer: filter.container ?? filter.nearContainer })
    const found = new Map<string, Found>()
    for (let start = 0; start < places.length; start += READS_AT_ONCE) {
      const batch = places.slice(start, start + READS_AT_ONCE)
      const read = await Promise.all(batch.map((place) => this.#read(place, filter)))
      for (const item of read)
        if (item && !found.has(item.metadata.backupId)) found.set(item.metadata.backupId, item)
    }
    for (const item of found.values()) {
      if (filter.volumeId !== undefined && item.metadata.volumeId !== filter.volumeId) continue
      if (filter.container !== undefined && item.container !== filter.container) continue
      yield toRecord(item, found)
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

  async #places(lookup: StoreOptions & { nearContainer?: string | undefined }): Promise<Place[]> {
    const options: StoreOptions = lookup.signal ? { signal: lookup.signal } : {}
    const places: Place[] = []
    for (const container of await this.#containers(lookup.nearContainer, options)) {
      for await (const objectName of this.#store.getContainerEntries(container, '', options)) {
        const prefix = prefixOfMetadataObject(objectName)
        if (prefix !== null) places.push({ container, prefix, objectName })
      }
    }
    return places
  }

  async #containers(near: string | undefined, options: StoreOptions): Promise<ReadonlySet<string>> {
    const containers = new Set(near === undefined ? [] : [near])
    for await (const container of this.#store.getContainers(options)) containers.add(container)
    return containers
  }

  /** A prefix contains its backup's id, so only those places can be the backup's. */
  async #find(backupId: string, places: readonly Place[], options: StoreOptions): Promise<Found | undefined> {
    for (const place of places) {
      if (!place.prefix.includes(backupId)) continue
      const found = await this.#read(place, options)
      if (found?.metadata.backupId === backupId) return found
    }
    return undefined
  }

  async #read(place: Place, options: StoreOptions): Promise<Found | undefined> {
    try {
      const metadata = await readMetadataAt(
        this.#store,
        place,
        options.signal ? { signal: options.signal } : {},
      )
      return { ...place, metadata }
    } catch (error) {
      // Deleted since it was listed.
      if (isBackupError(error, 'OBJECT_MISSING')) return undefined
      if (!isBackupError(error, 'METADATA_INVALID') && !isBackupError(error, 'VERSION_UNSUPPORTED'))
        throw error
      this.#onWarning({ code: 'METADATA_UNREADABLE', message: unreadable(place, error) })
      return undefined
    }
  }
}

/** The error for an id that is not in the catalog. */
export function backupNotFound(backupId: string): BackupError {
  return new BackupError(
    'BACKUP_NOT_FOUND',
    `There is no backup ${backupId} in this store. List the backups to see which there are; a backup without its metadata object was never finished.`,
    { backupId },
  )
}

function unreadable(place: Place, error: BackupError): string {
  return `${place.objectName} in ${place.container} is left out, for it cannot be read: ${error.message}`
}

function toRecord(found: Found, known: ReadonlyMap<string, Found>): BackupRecord {
  const { metadata } = found
  return {
    id: metadata.backupId,
    volumeId: metadata.volumeId,
    parentId: metadata.parentId,
    container: found.container,
    prefix: found.prefix,
    name: metadata.backupName,
    description: metadata.backupDescription,
    createdAt: metadata.createdAt,
    sizeBytes: sizeOf(found, known),
    objectCount: metadata.objects.length,
  }
}

/** From the full backup upwards. A parent that is not there counts as nothing, and a loop ends. */
function sizeOf(found: Found, known: ReadonlyMap<string, Found>): number {
  const upwards: BackupMetadata[] = []
  const seen = new Set<string>()
  for (let next: Found | undefined = found; next && !seen.has(next.metadata.backupId);) {
    seen.add(next.metadata.backupId)
    upwards.push(next.metadata)
    next = next.metadata.parentId === null ? undefined : known.get(next.metadata.parentId)
  }
  return upwards.reduceRight((size, metadata) => sizeByManifest(metadata, size), 0)
}

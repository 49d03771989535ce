import { readManifest, readManifestAt, type ChainLayer, type ChainLookup } from '../chain/chain.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupRecord, CatalogFilter } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import type { Manifest } from '../format/manifest.js'
import { manifestObjectName } from '../format/object-names.js'
import { ifReadable, isUnreadable, type BackupLocation, type StoreAccess } from '../store/access.js'
import { AncestorPrefetch } from './ancestor-prefetch.js'
import { StoreIndex, type MarkerLocation, type ManifestLocation } from './store-index.js'
import { newestFirst, recordOf, summarise, type Summary, type VolumeSizes } from './summary.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

/** Which backups to list. */
export type BackupFilter = Pick<CatalogFilter, 'nearContainer' | 'volumeId' | 'idPrefix'>

interface Found extends ManifestLocation {
  readonly manifest: Manifest
}

/** The maximum number of manifests that a search keeps: more of them, with millions of objects each, may not fit. */
const MAX_KEPT_MANIFESTS = 8

/** Finds the backups in a store for one operation, by their `_metadata` objects: each listing and manifest is read once. */
export class BackupLookup implements ChainLookup {
  readonly #index: StoreIndex
  readonly #found = new Map<string, Found>()
  readonly #sizes: VolumeSizes = new Map()
  readonly #prefetch: AncestorPrefetch

  constructor(
    protected readonly access: StoreAccess,
    private readonly onWarning: WarningListener,
  ) {
    this.#index = new StoreIndex(access)
    this.#prefetch = new AncestorPrefetch(access, this.#index)
  }

  async find(backupId: string, nearContainer?: string, prefix?: string): Promise<ChainLayer | undefined> {
    const found = await this.#find(backupId, nearContainer, prefix)
    if (!found) return undefined
    const { manifest } = found
    const record = recordOf(summarise(found, manifest), await this.#ancestors(found), this.#sizes)
    return { record, manifest }
  }

  async open(record: BackupRecord): Promise<ChainLayer> {
    const { id, container, prefix } = record
    const known = this.#found.get(id)
    if (known?.container === container && known.prefix === prefix) return { record, manifest: known.manifest }
    const manifest = this.#prefetch.take(record)
    if (manifest?.backupId === id) return { record, manifest }
    return { record, manifest: await readManifest(this.access, record) }
  }

  readAhead(child: BackupLocation, manifest: Manifest): Promise<void> {
    return this.#prefetch.readAhead(child, manifest)
  }

  /** Whether a committed backup other than the one at this location has this id. */
  async hasOther(backupId: string, { container, prefix }: BackupLocation): Promise<boolean> {
    for await (const location of this.#index.containerByContainer(container)) {
      if (!location.prefix.includes(backupId)) continue
      if (location.container === container && location.prefix === prefix) continue
      if ((await ifReadable(readManifestAt(this.access, location)))?.backupId === backupId) return true
    }
    return false
  }

  /** The markers of unfinished deletes of this backup. */
  findMarkers(backupId: string): Promise<readonly MarkerLocation[]> {
    return this.#index.markersOf(backupId)
  }

  /**
   * Whether the driver lists this container, so that every search includes it. True where a caller's catalog names the
   * backups, and a search does not depend on containers.
   */
  async listsContainer(container: string): Promise<boolean> {
    const { store, options } = this.access
    for await (const name of store.getContainers({ ...options, only: container }))
      if (name === container) return true
    return false
  }

  /** The backups of a volume, newest first. A caller that stops early leaves most manifests unread. */
  async *newestFirst(volumeId: string, nearContainer?: string): AsyncIterable<BackupRecord> {
    const locations = await this.#index.locationsOfVolume(volumeId, nearContainer)
    const read = (some: readonly ManifestLocation[]): Promise<readonly Summary[]> =>
      this.#summariseAll(some, true)
    for await (const record of newestFirst(locations, volumeId, read)) {
      const found = await this.find(record.id, record.container, record.prefix)
      if (found) yield found.record
    }
  }

  /** Whether the names in the store show a backup of each of these ids, without reading a manifest. */
  areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean> {
    return this.#index.areListed(backupIds, nearContainer)
  }

  /** Every backup that the filter selects. */
  async *list({ volumeId, nearContainer, idPrefix }: BackupFilter): AsyncIterable<BackupRecord> {
    const listed = await (volumeId === undefined
      ? this.#index.all(nearContainer)
      : this.#index.locationsOfVolume(volumeId, nearContainer))
    const locations = idPrefix === undefined ? listed : this.#index.filterByIdPrefix(listed, idPrefix)
    const summaries = new Map<string, Summary>()
    for (const summary of await this.#summariseAll(locations, idPrefix !== undefined)) {
      const { id, container, prefix } = summary.record
      const other = summaries.get(id)?.record
      if (!other) summaries.set(id, summary)
      else if (other.container === container) {
        const { message } = idTwice(id, container, [other.prefix, prefix])
        this.onWarning({ code: 'ID_TWICE', message, backupId: id })
      }
    }
    const sizes: VolumeSizes = new Map()
    for (const summary of summaries.values()) {
      if (volumeId !== undefined && summary.record.volumeId !== volumeId) continue
      if (idPrefix !== undefined && !summary.record.id.startsWith(idPrefix)) continue
      let record = recordOf(summary, summaries, sizes)
      // The ancestors, which determine the size, may not have been listed.
      if (idPrefix !== undefined && record.sizeIsMinimum === true)
        record = (await this.find(record.id, record.container, record.prefix))?.record ?? record
      const { id, parentId, container } = record
      const isPart = volumeId !== undefined || idPrefix !== undefined
      const isThere =
        parentId === null ||
        summaries.has(parentId) ||
        (isPart && (await this.#isReadable(parentId, container)))
      if (!isThere) {
        const size = record.sizeIsMinimum ? ' The size shown is that of its own objects alone.' : ''
        const message = `Backup ${id} cannot be restored from here: its parent, ${parentId}, is not among the backups found.${size}`
        this.onWarning({ code: 'PARENT_MISSING', message, backupId: id })
      }
      yield record
    }
  }

  async #isReadable(backupId: string, nearContainer: string): Promise<boolean> {
    try {
      return (await this.#find(backupId, nearContainer, undefined)) !== undefined
    } catch (error) {
      if (isUnreadable(error) || isBackupError(error, 'CONFLICT')) return false
      throw error
    }
  }

  /** The ancestors that determine the size of this backup, up to one that is missing or cannot be read. */
  async #ancestors(found: Found): Promise<ReadonlyMap<string, Summary>> {
    const ancestors = new Map<string, Summary>()
    for (let child: Found | undefined = found; child;) {
      const { parentId, parentPrefix, volumeSizeBytes }: Manifest = child.manifest
      if (
        volumeSizeBytes !== null ||
        parentId === null ||
        ancestors.has(parentId) ||
        this.#sizes.has(parentId)
      )
        break
      await this.readAhead(child, child.manifest)
      child = await this.#find(parentId, child.container, parentPrefix).catch((error: unknown) => {
        if (isUnreadable(error)) return undefined
        throw error
      })
      if (child) ancestors.set(parentId, summarise(child, child.manifest))
    }
    return ancestors
  }

  /** A prefix contains its backup's id, so only such places can be the backup's. */
  async #find(
    backupId: string,
    nearContainer: string | undefined,
    prefix: string | undefined,
  ): Promise<Found | undefined> {
    const known = this.#found.get(backupId)
    if (known && (prefix === undefined || known.prefix === prefix)) return known
    if (nearContainer !== undefined && prefix !== undefined) {
      const location = { container: nearContainer, prefix, objectName: manifestObjectName(prefix) }
      const manifest = await ifReadable(this.#read(location))
      if (manifest?.backupId === backupId) return this.#remember(location, manifest)
    }
    let unreadable: BackupError | undefined
    let unlisted: BackupError | undefined
    for await (const location of this.#index.candidates(backupId, nearContainer)) {
      unlisted ??= location.unlisted
      if (location.unlisted || (prefix !== undefined && location.prefix !== prefix)) continue
      try {
        const manifest = await this.#read(location)
        if (manifest.backupId !== backupId) continue
        if (prefix === undefined) await this.#assertOnlyOne(backupId, location)
        return this.#remember(location, manifest)
      } catch (error) {
        // Deleted since it was listed.
        if (isBackupError(error, 'OBJECT_MISSING')) continue
        if (!isUnreadable(error)) throw error
        if (location.prefix.endsWith(backupId)) unreadable ??= error
      }
    }
    // The backup may be in a container that cannot be listed.
    const reason = unreadable ?? unlisted
    if (reason) throw reason
    return undefined
  }

  async #read(location: ManifestLocation): Promise<Manifest> {
    return this.#prefetch.take(location) ?? readManifestAt(this.access, location)
  }

  #remember(location: ManifestLocation, manifest: Manifest): Found {
    const found = { ...location, manifest }
    this.#found.set(manifest.backupId, found)
    return found
  }

  /** Rejects where a container has two backups of the id: neither may be taken for the other. */
  async #assertOnlyOne(backupId: string, { container, prefix }: ManifestLocation): Promise<void> {
    for (const other of await this.#index.withIdAtEnd(backupId, container)) {
      if (
        other.prefix !== prefix &&
        (await ifReadable(readManifestAt(this.access, other)))?.backupId === backupId
      )
        throw idTwice(backupId, container, [prefix, other.prefix])
    }
  }

  /**
   * Reads a few manifests at a time, since each may have millions of objects.
   *
   * @param keep - remembers the manifests where they are few, because one of them is needed next
   */
  async #summariseAll(locations: readonly ManifestLocation[], keep = false): Promise<readonly Summary[]> {
    const isKept = keep && locations.length <= MAX_KEPT_MANIFESTS
    const summarise = (location: ManifestLocation): Promise<Summary | undefined> =>
      this.#summariseAt(location, isKept)
    const summaries = await mapConcurrently(locations, summarise)
    return summaries.filter((summary) => summary !== undefined)
  }

  async #summariseAt(location: ManifestLocation, keep: boolean): Promise<Summary | undefined> {
    try {
      if (location.unlisted) throw location.unlisted
      const manifest = await readManifestAt(this.access, location)
      if (keep) this.#remember(location, manifest)
      return summarise(location, manifest)
    } catch (error) {
      if (isBackupError(error, 'OBJECT_MISSING')) return undefined
      if (!isUnreadable(error)) throw error
      const { container, objectName } = location
      const message = location.unlisted
        ? `The backups in a container are left out: ${messageAbout(error, container)}`
        : `A backup is left out: ${messageAbout(error, objectName, `${objectName} in ${container}`)}`
      this.onWarning({ code: 'METADATA_UNREADABLE', message })
      return undefined
    }
  }
}

function idTwice(backupId: string, container: string, [one, other]: readonly [string, string]): BackupError {
  const message = `The container ${container} has two backups with the id ${backupId}, ${one} and ${other}. Move the \`_metadata\` object of the wrong one out of the store.`
  return new BackupError('CONFLICT', message, { backupId, container })
}

/** The error for an id that is not in the catalog. */
export function backupNotFound(backupId: string): BackupError {
  return new BackupError(
    'BACKUP_NOT_FOUND',
    `There is no backup ${backupId} in this store. List the backups to see which there are; a backup without its metadata object was never finished.`,
    { backupId },
  )
}

/** As {@link backupNotFound}, or the error for a backup whose delete did not finish. */
export async function backupNotFoundBy(lookup: BackupLookup, backupId: string): Promise<BackupError> {
  if ((await lookup.findMarkers(backupId)).length === 0) return backupNotFound(backupId)
  const message = `Backup ${backupId} is being deleted, or its delete was interrupted. Delete it again to finish that.`
  return new BackupError('BACKUP_NOT_FOUND', message, { backupId })
}

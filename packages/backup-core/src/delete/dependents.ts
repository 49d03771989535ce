import type { BackupCatalog } from '../contracts/catalog.js'
import {
  isUnreadable,
  type ContainerListing,
  type MarkerPlace,
  type MetadataPlace,
} from '../catalog/list-container.js'
import { inOrder, recordOf, summarise, type Summary } from '../catalog/summary.js'
import { readMetadataAt } from '../chain/chain.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import { isBackupError, type BackupError } from '../errors/backup-error.js'
import { parseMetadata } from '../format/metadata-reader.js'
import { mayBeOfVolume } from '../format/backup-prefix.js'
import { metadataObjectName } from '../format/object-names.js'
import { bytesBody } from '../store/objects.js'
import { listSound } from './list-sound.js'
import { mayHideBackup, readMarker } from './marker.js'

/** A backup that is to be deleted, as far as it is known. */
export interface DeleteTarget {
  readonly id: string
  readonly container: string
  readonly prefix: string
  /** Undefined where its metadata cannot be read. */
  readonly volumeId?: string
  readonly objectCount?: number
  /** The object that marks it as being deleted, once there is one. */
  readonly markerName?: string
}

/** What depends on a backup, and what may. */
export interface Dependents {
  /** Oldest first: each after its parent. */
  readonly found: readonly BackupRecord[]
  /** The ids among them whose own delete did not finish. */
  readonly halfDeleted: ReadonlySet<string>
  /** What cannot be read, and so may depend on it: names of objects, or of containers. */
  readonly unknown: readonly BackupError[]
}

const READS_AT_ONCE = 8

/**
 * Finds the backups that depend on others, in all containers that the driver lists. Each search lists them anew, and reads
 * the manifests that the ones before did not: a manifest never changes. Those of other volumes, by their names, are not read.
 */
export class DependentsSearch {
  readonly #store: ObjectStore
  readonly #ownCatalog: BackupCatalog | undefined
  readonly #options: StoreOptions
  /** By container and name. */
  #known = new Map<string, Summary>()

  /** @param ownCatalog - the caller's, which is asked beside the store */
  constructor(store: ObjectStore, ownCatalog: BackupCatalog | undefined, options: StoreOptions) {
    this.#store = store
    this.#ownCatalog = ownCatalog
    this.#options = options
  }

  /** @param toDelete - the backup asked about, first, and those that go with it */
  async of(toDelete: readonly [DeleteTarget, ...DeleteTarget[]]): Promise<Dependents> {
    let before = new Set<string>()
    for (;;) {
      const { dependents, gone } = await this.#lookOnce(toDelete)
      // What was listed and is gone may have been hidden by a delete, and put back: it has to be listed again. A listing
      // that lags names the same for a while.
      if ([...gone].every((key) => before.has(key))) return dependents
      before = new Set([...before, ...gone])
    }
  }

  /** @returns also what was listed, and not there when it was read */
  async #lookOnce(
    toDelete: readonly [DeleteTarget, ...DeleteTarget[]],
  ): Promise<{ readonly dependents: Dependents; readonly gone: ReadonlySet<string> }> {
    const [target] = toDelete
    const unknown: BackupError[] = []
    const gone = new Set<string>()
    const listings = await this.#listAll(toDelete, unknown)
    const own = new Set(toDelete.map(({ container, prefix }) => keyOf(container, metadataObjectName(prefix))))
    const places = listings
      .flatMap(({ metadata }) => metadata)
      .filter(({ container, objectName }) => !own.has(keyOf(container, objectName)))
      // A backup of another volume cannot be restored on this one: it does not depend on it, and is not read.
      .filter(({ prefix }) => mayBeOfVolume(prefix, target.volumeId))
    const summaries = await this.#summariesAt(places, gone, (error) => unknown.push(error))
    const halfDeleted = new Set<string>()
    const committed = new Set(summaries.map(({ record }) => keyOf(record.container, record.prefix)))
    for (const marker of listings.flatMap(({ markers }) => markers)) {
      if (toDelete.some(({ id }) => id === marker.backupId)) continue
      const summary = await this.#summaryOfMarker(marker, gone, unknown)
      if (!summary) continue
      const key = keyOf(summary.record.container, summary.record.prefix)
      if (committed.has(key)) continue
      // A backup may have several markers.
      committed.add(key)
      halfDeleted.add(summary.record.id)
      summaries.push(summary)
    }
    const catalogued = await this.#catalogued(target.container, summaries)
    return { dependents: { found: descendantsOf(target, summaries, catalogued), halfDeleted, unknown }, gone }
  }

  async #listAll(
    toDelete: readonly [DeleteTarget, ...DeleteTarget[]],
    unknown: BackupError[],
  ): Promise<ContainerListing[]> {
    const containers = new Set([toDelete[0].container])
    // An incremental may be in a container that this driver does not search otherwise.
    const everywhere = { ...this.#options, everywhere: true }
    try {
      for await (const container of this.#store.getContainers(everywhere)) containers.add(container)
    } catch (error) {
      // A container that is not named hides its incrementals as one does that cannot be listed.
      if (!mayHide(error)) throw error
      unknown.push(error)
    }
    const listings: ContainerListing[] = []
    for (const container of containers) {
      try {
        const own = toDelete.filter((target) => target.container === container)
        listings.push(await listSound(this.#store, container, own, this.#options))
      } catch (error) {
        if (!mayHide(error)) throw error
        unknown.push(error)
      }
    }
    return listings
  }

  async #summariesAt(
    places: readonly MetadataPlace[],
    gone: Set<string>,
    onUnreadable: (error: BackupError) => void,
  ): Promise<Summary[]> {
    const found = new Map<string, Summary>()
    const unread: MetadataPlace[] = []
    for (const place of places) {
      const key = keyOf(place.container, place.objectName)
      const known = this.#known.get(key)
      if (known) found.set(key, known)
      else unread.push(place)
    }
    for (let start = 0; start < unread.length; start += READS_AT_ONCE) {
      const batch = unread.slice(start, start + READS_AT_ONCE)
      await Promise.all(
        batch.map(async (place) => {
          try {
            const metadata = await readMetadataAt(this.#store, place, this.#options)
            found.set(keyOf(place.container, place.objectName), summarise(place, metadata))
          } catch (error) {
            if (isBackupError(error, 'OBJECT_MISSING')) {
              gone.add(keyOf(place.container, place.objectName))
              return
            }
            if (!mayHide(error)) throw error
            onUnreadable(error)
          }
        }),
      )
    }
    this.#known = found
    return [...found.values()]
  }

  /** A backup whose delete did not finish depends on its parent still: its `_metadata` may be put back. */
  async #summaryOfMarker(
    place: MarkerPlace,
    gone: Set<string>,
    unknown: BackupError[],
  ): Promise<Summary | undefined> {
    try {
      const marker = await readMarker(this.#store, place, this.#options)
      if (!marker) gone.add(keyOf(place.container, place.objectName))
      if (!marker || marker.metadata.byteLength === 0) return undefined
      const { container } = place
      const objectName = metadataObjectName(marker.prefix)
      const metadata = await parseMetadata(bytesBody(marker.metadata).stream(), { container, objectName })
      return summarise({ container, prefix: marker.prefix }, metadata)
    } catch (error) {
      if (!mayHide(error)) throw error
      if (await mayHideBackup(this.#store, place, this.#options)) unknown.push(error)
      return undefined
    }
  }

  async #catalogued(nearContainer: string, stored: readonly Summary[]): Promise<BackupRecord[]> {
    if (!this.#ownCatalog) return []
    const places = new Set(stored.map(({ record }) => keyOf(record.container, record.prefix)))
    const records: BackupRecord[] = []
    for await (const record of this.#ownCatalog.list({ ...this.#options, nearContainer })) {
      if (!places.has(keyOf(record.container, record.prefix))) records.push(record)
    }
    return records
  }
}

/** Whether a dependent may be behind a failure: of the object or container alone, and not of the store. */
function mayHide(error: unknown): error is BackupError {
  return (
    isUnreadable(error) || isBackupError(error, 'STORE_FAILED') || isBackupError(error, 'LISTING_INVALID')
  )
}

/**
 * Two backups may have one id: a killed delete has one of them, and another run made the other. What was made on the one,
 * and says so, does not depend on the other.
 */
function descendantsOf(
  target: DeleteTarget,
  stored: readonly Summary[],
  catalogued: readonly BackupRecord[],
): BackupRecord[] {
  const none = new Map<string, Summary>()
  const parentPrefixes = new Map(
    stored.map(({ record, parentPrefix }) => [keyOf(record.container, record.prefix), parentPrefix]),
  )
  const found = new Map([[target.id, new Set([target.prefix])]])
  const records = [...stored.map((summary) => recordOf(summary, none)), ...catalogued]
  // In order, so that a child always comes after its parent.
  return inOrder(records).filter(({ id, parentId, container, prefix }) => {
    const parents = parentId === null ? undefined : found.get(parentId)
    if (!parents || prefix === target.prefix) return false
    const parentPrefix = parentPrefixes.get(keyOf(container, prefix))
    if (parentPrefix !== undefined && !parents.has(parentPrefix)) return false
    found.set(id, new Set([...(found.get(id) ?? []), prefix]))
    return true
  })
}

/** NUL is in no name. */
function keyOf(container: string, name: string): string {
  return `${container}\0${name}`
}

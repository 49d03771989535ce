import { setTimeout as sleep } from 'node:timers/promises'
import {
  isUnreadable,
  listContainer,
  type ContainerListing,
  type MarkerPlace,
  type MetadataPlace,
} from '../catalog/store-places.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { DeleteTarget, DeleteTargets } from './find-target.js'
import { mayHideBackup, parseManifest, readMarker, type StoreAccess } from './marker.js'
import type { BackupCatalog, BackupRecord } from '../contracts/records.js'
import { inOrder, recordOf, summarise, type Summary } from '../catalog/summary.js'
import { readMetadataAt } from '../chain/chain.js'
import { mayBeOfVolume } from '../format/backup-prefix.js'
import { mapConcurrently } from '../pipeline/slots.js'

/** The waits before an empty listing is requested again: a listing may lag behind the objects. */
const WAITS_MS = [100, 300, 900]

/**
 * Lists a container for a search for dependents. An empty listing of a container in which `_metadata` or the marker of a
 * backup to delete exists is requested again: it would hide every incremental in the container.
 *
 * @param targets - the backups to delete that are in the container
 * @throws BackupError `STORE_FAILED` where the listing stays empty
 */
export async function listOwnContainer(
  access: StoreAccess,
  container: string,
  targets: readonly DeleteTarget[],
): Promise<ContainerListing> {
  const { store, options } = access
  let present: string | undefined
  let listing: ContainerListing = { metadata: [], markers: [] }
  for (const waitMs of [0, ...WAITS_MS]) {
    if (waitMs > 0) await pause(waitMs, options.signal)
    listing = await listContainer(store, container, options)
    if (listing.metadata.length + listing.markers.length > 0) return listing
    present = await presentObject(access, targets)
    if (present === undefined) return listing
  }
  // A listing that names the backup's chunks, and not yet its marker, lags.
  for (const { prefix } of targets) {
    for await (const name of store.getContainerEntries(container, prefix, options)) {
      if (name !== '') return listing
    }
  }
  throw new BackupError(
    'STORE_FAILED',
    `Cannot search container ${container} for incrementals: its listing is empty, although object ${present ?? ''} exists. Check the store.`,
    { container },
  )
}

/** Returns the name of an object that the container's listing must contain. */
async function presentObject(
  { store, options }: StoreAccess,
  targets: readonly DeleteTarget[],
): Promise<string | undefined> {
  for (const { container, prefix, markerName } of targets) {
    for (const objectName of [metadataObjectName(prefix), markerName]) {
      if (objectName !== undefined && (await store.objectExists(container, objectName, options)))
        return objectName
    }
  }
  return undefined
}

async function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(waitMs, undefined, signal ? { signal } : {})
  } catch (error) {
    throwIfAborted(signal, 'The delete')
    throw error
  }
}

/** The backups that depend on a backup, and those that may. */
export interface Dependents {
  /** Oldest first: each after its parent. */
  readonly found: readonly BackupRecord[]
  /** The ids among them whose own delete did not finish. */
  readonly halfDeleted: ReadonlySet<string>
  /** The errors of objects and containers that cannot be read, and so may depend on it. */
  readonly unknown: readonly BackupError[]
}

/**
 * Finds the backups that depend on others, in all containers that the driver lists. Each search lists them anew, and reads
 * the manifests that the previous ones did not: a manifest never changes. Manifests whose names show another volume are
 * not read.
 */
export class DependentsSearch {
  readonly #access: StoreAccess
  readonly #ownCatalog: BackupCatalog | undefined
  /** By container and name. */
  #known = new Map<string, Summary>()

  /** @param ownCatalog - the caller's catalog, which is searched in addition to the store */
  constructor(access: StoreAccess, ownCatalog: BackupCatalog | undefined) {
    this.#access = access
    this.#ownCatalog = ownCatalog
  }

  /** @param toDelete - first the backup whose dependents are searched, then those that are deleted with it */
  async of(toDelete: DeleteTargets): Promise<Dependents> {
    let before = new Set<string>()
    for (;;) {
      const { dependents, gone } = await this.#search(toDelete)
      // What was listed and is gone may have been hidden by a delete and put back: the containers must be listed again.
      // A listing that lags names the same objects for a while.
      if ([...gone].every((key) => before.has(key))) return dependents
      before = new Set([...before, ...gone])
    }
  }

  /** @returns also what was listed, and did not exist when it was read */
  async #search(
    toDelete: DeleteTargets,
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
    const summaries = await this.#summariesAt(places, gone, unknown)
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
    const catalogued: BackupRecord[] = []
    if (this.#ownCatalog) {
      const filter = { ...this.#access.options, nearContainer: target.container }
      for await (const record of this.#ownCatalog.list(filter)) {
        if (!committed.has(keyOf(record.container, record.prefix))) catalogued.push(record)
      }
    }
    return { dependents: { found: descendantsOf(target, summaries, catalogued), halfDeleted, unknown }, gone }
  }

  async #listAll(toDelete: DeleteTargets, unknown: BackupError[]): Promise<ContainerListing[]> {
    const { store, options } = this.#access
    const containers = new Set([toDelete[0].container])
    const listings: ContainerListing[] = []
    const collect = (error: unknown): void => {
      if (!mayHide(error)) throw error
      unknown.push(error)
    }
    try {
      // An incremental may be in a container that this driver does not search otherwise.
      for await (const container of store.getContainers({ ...options, everywhere: true }))
        containers.add(container)
    } catch (error) {
      // A container that is not named hides its incrementals, as does one that cannot be listed.
      collect(error)
    }
    for (const container of containers) {
      const targets = toDelete.filter((target) => target.container === container)
      await listOwnContainer(this.#access, container, targets).then((found) => listings.push(found), collect)
    }
    return listings
  }

  async #summariesAt(
    places: readonly MetadataPlace[],
    gone: Set<string>,
    unknown: BackupError[],
  ): Promise<Summary[]> {
    const found = new Map<string, Summary>()
    const unread: MetadataPlace[] = []
    for (const place of places) {
      const key = keyOf(place.container, place.objectName)
      const known = this.#known.get(key)
      if (known) found.set(key, known)
      else unread.push(place)
    }
    await mapConcurrently(unread, async (place) => {
      const key = keyOf(place.container, place.objectName)
      try {
        const metadata = await readMetadataAt(this.#access.store, place, this.#access.options)
        found.set(key, summarise(place, metadata))
      } catch (error) {
        if (isBackupError(error, 'OBJECT_MISSING')) gone.add(key)
        else if (mayHide(error)) unknown.push(error)
        else throw error
      }
    })
    this.#known = found
    return [...found.values()]
  }

  /** A backup whose delete did not finish still depends on its parent: its `_metadata` may be put back. */
  async #summaryOfMarker(
    place: MarkerPlace,
    gone: Set<string>,
    unknown: BackupError[],
  ): Promise<Summary | undefined> {
    const { container, objectName } = place
    try {
      const marker = await readMarker(this.#access, place)
      if (!marker) gone.add(keyOf(container, objectName))
      if (!marker || marker.metadata.byteLength === 0) return undefined
      const metadataPlace = { container, prefix: marker.prefix }
      return summarise(metadataPlace, await parseManifest(marker.metadata, metadataPlace))
    } catch (error) {
      if (!mayHide(error)) throw error
      if (await mayHideBackup(this.#access, place)) unknown.push(error)
      return undefined
    }
  }
}

/** Whether a failure may hide a dependent: one of the object or container alone, and not of the store. */
function mayHide(error: unknown): error is BackupError {
  return (
    isUnreadable(error) || isBackupError(error, 'STORE_FAILED') || isBackupError(error, 'LISTING_INVALID')
  )
}

/**
 * Two backups may have the same id: one of a killed delete, and one that another run made since. An incremental that states
 * its parent's prefix depends on one of them only.
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

/** Returns a unique key: no name contains NUL. */
function keyOf(container: string, name: string): string {
  return `${container}\0${name}`
}

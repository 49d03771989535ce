import { setTimeout as sleep } from 'node:timers/promises'
import { listContainer, type ContainerListing } from '../catalog/store-index.js'
import { sortOldestFirst, recordOf, summarise, type Summary } from '../catalog/summary.js'
import { readManifestAt } from '../chain/chain.js'
import type { BackupCatalog, BackupRecord } from '../contracts/records.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { mayBeOfVolume } from '../format/backup-prefix.js'
import type { ObjectLocation } from '../format/manifest-reader.js'
import { manifestObjectName } from '../format/object-names.js'
import { isUnreadable, type StoreAccess } from '../store/access.js'
import type { DeleteTarget, DeleteTargets } from './find-target.js'
import { mayHideBackup, parseManifestBytes, readMarker } from './marker.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

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
  /** By container and name. */
  #known = new Map<string, Summary>()

  /** @param callerCatalog - the caller's catalog, which is searched in addition to the store */
  constructor(
    private readonly access: StoreAccess,
    private readonly callerCatalog: BackupCatalog | undefined,
  ) {}

  /** @param toDelete - first the backup whose dependents are searched, then those that are deleted with it */
  async of(toDelete: DeleteTargets): Promise<Dependents> {
    let before = new Set<string>()
    for (;;) {
      const gone = new Set<string>()
      const dependents = await this.#search(toDelete, gone)
      // What was listed and is gone may have been hidden by a delete and put back: the containers must be listed again.
      // A listing that lags names the same objects for a while.
      if ([...gone].every((key) => before.has(key))) return dependents
      before = new Set([...before, ...gone])
    }
  }

  /** @param gone - is given what was listed, and did not exist when it was read */
  async #search(toDelete: DeleteTargets, gone: Set<string>): Promise<Dependents> {
    const [target] = toDelete
    const unknown: BackupError[] = []
    const listings = await this.#listAll(toDelete, unknown)
    const own = new Set(toDelete.map(({ container, prefix }) => keyOf(container, manifestObjectName(prefix))))
    const locations = listings
      .flatMap(({ manifests }) => manifests)
      .filter(({ container, objectName }) => !own.has(keyOf(container, objectName)))
      // A backup of another volume cannot be restored on this one: it does not depend on it, and is not read.
      .filter(({ prefix }) => mayBeOfVolume(prefix, target.volumeId))
    const read = new Map<string, Summary>()
    await mapConcurrently(locations, async (location) => {
      const key = keyOf(location.container, location.objectName)
      const readSummary = async (): Promise<Summary> =>
        summarise(location, await readManifestAt(this.access, location))
      const summary = this.#known.get(key) ?? (await collectFaults(location, readSummary, gone, unknown))
      if (summary) read.set(key, summary)
    })
    this.#known = read
    const summaries = [...read.values()]
    const committed = new Set(summaries.map(({ record }) => keyOf(record.container, record.prefix)))
    const halfDeleted = new Set<string>()
    for (const location of listings.flatMap(({ markers }) => markers)) {
      if (toDelete.some(({ id }) => id === location.backupId)) continue
      const { container } = location
      const faults: BackupError[] = []
      // A backup whose delete did not finish still depends on its parent: its `_metadata` may be put back.
      const marked = await collectFaults(
        location,
        async () => {
          const marker = await readMarker(this.access, location)
          if (!marker) gone.add(keyOf(container, location.objectName))
          if (!marker || marker.manifestBytes.byteLength === 0) return undefined
          const { prefix } = marker
          return summarise(
            { container, prefix },
            await parseManifestBytes(marker.manifestBytes, { container, prefix }),
          )
        },
        gone,
        faults,
      )
      if (faults.length > 0 && (await mayHideBackup(this.access, location))) unknown.push(...faults)
      // A backup may have several markers.
      const key = marked && keyOf(container, marked.record.prefix)
      if (!marked || key === undefined || committed.has(key)) continue
      committed.add(key)
      halfDeleted.add(marked.record.id)
      summaries.push(marked)
    }
    const catalogued: BackupRecord[] = []
    const filter = { ...this.access.options, nearContainer: target.container }
    for await (const record of this.callerCatalog?.list(filter) ?? []) {
      if (!committed.has(keyOf(record.container, record.prefix))) catalogued.push(record)
    }
    return { found: descendantsOf(target, summaries, catalogued), halfDeleted, unknown }
  }

  async #listAll(toDelete: DeleteTargets, unknown: BackupError[]): Promise<ContainerListing[]> {
    const { store, options } = this.access
    const containers = new Set([toDelete[0].container])
    const listings: ContainerListing[] = []
    const collect = (error: unknown): void => {
      if (!mayConcealDependent(error)) throw error
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
      await listOwnContainer(this.access, container, targets).then((found) => listings.push(found), collect)
    }
    return listings
  }
}

/** Reads an object of which a fault may hide a dependent. Undefined where it is gone, or cannot be read. */
async function collectFaults(
  { container, objectName }: ObjectLocation,
  read: () => Promise<Summary | undefined>,
  gone: Set<string>,
  faults: BackupError[],
): Promise<Summary | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) gone.add(keyOf(container, objectName))
    else if (mayConcealDependent(error)) faults.push(error)
    else throw error
    return undefined
  }
}

/** Whether a failure may hide a dependent: one of the object or container alone, and not of the store. */
function mayConcealDependent(error: unknown): error is BackupError {
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
  return sortOldestFirst(records).filter(({ id, parentId, container, prefix }) => {
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

/** The waits before an empty listing is requested again: a listing may lag behind the objects. */
const WAITS_MS = [100, 300, 900]

/**
 * Lists a container for a search for dependents. An empty listing of a container in which `_metadata` or the marker of a
 * backup to delete exists is requested again: it would hide every incremental in the container.
 *
 * @param targets - the backups to delete that are in the container
 * @throws BackupError `STORE_FAILED` where the listing stays empty
 */
async function listOwnContainer(
  access: StoreAccess,
  container: string,
  targets: readonly DeleteTarget[],
): Promise<ContainerListing> {
  let present: string | undefined
  let listing: ContainerListing = { manifests: [], markers: [] }
  for (const waitMs of [0, ...WAITS_MS]) {
    if (waitMs > 0) {
      await sleep(waitMs, undefined, access.options).catch((error: unknown) => {
        throwIfAborted(access.options.signal, 'The delete')
        throw error
      })
    }
    listing = await listContainer(access, container)
    if (listing.manifests.length + listing.markers.length > 0) return listing
    present = await presentObject(access, targets)
    if (present === undefined) return listing
  }
  // A listing that names the backup's chunks, and not yet its marker, lags.
  for (const { prefix } of targets) {
    for await (const name of access.names(container, prefix)) if (name !== '') return listing
  }
  const message = `Cannot search container ${container} for incrementals: its listing is empty, although object ${present ?? ''} exists. Check the store.`
  throw new BackupError('STORE_FAILED', message, { container })
}

/** Returns the name of an object that the container's listing must contain. */
async function presentObject(
  access: StoreAccess,
  targets: readonly DeleteTarget[],
): Promise<string | undefined> {
  for (const { container, prefix, markerName } of targets) {
    for (const objectName of [manifestObjectName(prefix), markerName]) {
      if (objectName !== undefined && (await access.exists(container, objectName))) return objectName
    }
  }
  return undefined
}

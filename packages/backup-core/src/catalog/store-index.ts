import { BackupError } from '../errors/backup-error.js'
import { mayBeOfVolume, PrefixParser, sampleBackup, volumePrefix } from '../format/backup-prefix.js'
import type { ObjectLocation } from '../format/manifest-reader.js'
import {
  idProblem,
  parseMarkerName,
  parseObjectName,
  prefixOfManifestObject,
} from '../format/object-names.js'
import { isUnreadable, type BackupLocation, type StoreAccess } from '../store/access.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

/** Where a `_metadata` object is. */
export interface ManifestLocation extends BackupLocation, ObjectLocation {
  /** Why the container cannot be listed: the location then stands for all of its backups. */
  readonly unlisted?: BackupError
}

/** Where the marker of a delete is. */
export interface MarkerLocation extends ObjectLocation {
  readonly backupId: string
}

/** The names of a container by which backups are found. */
export interface ContainerListing {
  readonly manifests: readonly ManifestLocation[]
  readonly markers: readonly MarkerLocation[]
}

/** Far more than a container of backups has; a listing with more may never end, and would fill the memory. */
const MAX_BACKUPS = 1_000_000

/**
 * Lists the `_metadata` objects and the markers of a container.
 *
 * @param namePrefix - lists only names that begin with it
 * @throws `LISTING_INVALID` for more than a million of them
 */
export async function listContainer(
  access: StoreAccess,
  container: string,
  namePrefix?: string,
): Promise<ContainerListing> {
  const manifests: ManifestLocation[] = []
  const markers: MarkerLocation[] = []
  for await (const objectName of access.names(container, namePrefix)) {
    if (manifests.length + markers.length >= MAX_BACKUPS) {
      const message = `The listing of container ${container} has more than ${MAX_BACKUPS} backups, and was not read further. Check the store, and keep fewer backups in one container.`
      throw new BackupError('LISTING_INVALID', message, { container })
    }
    const prefix = prefixOfManifestObject(objectName)
    const backupId = prefix === null ? parseMarkerName(objectName) : undefined
    if (prefix !== null) manifests.push({ container, prefix, objectName })
    else if (backupId !== undefined) markers.push({ container, objectName, backupId })
  }
  return { manifests, markers }
}

/** Yields every prefix of objects in the store that are named as backups' objects are, of backups and of what was left over. */
export async function* findLeftBehind(access: StoreAccess): AsyncGenerator<BackupLocation> {
  for await (const container of access.store.getContainers(access.options)) {
    const prefixes = new Set<string>()
    for await (const name of access.names(container)) {
      const found = parseObjectName(name)
      if (found) prefixes.add(found.prefix)
    }
    for (const prefix of prefixes) yield { container, prefix }
  }
}

/** How many containers are listed concurrently. */
const CONCURRENT_LISTINGS = 16

/** What precedes the id in the prefixes of all known drivers. */
const BEFORE_ID = 'backup_'

/** Where the manifests and markers of a store are, by names alone. Each container is listed once. */
export class StoreIndex {
  #containers: Promise<readonly string[]> | undefined
  /** By container and prefix of names. */
  readonly #listings = new Map<string, Promise<readonly ManifestLocation[]>>()
  /** Of the containers that were listed. */
  readonly #markers: MarkerLocation[] = []
  /** By the id at the end of the prefix, so that each ancestor in a long chain is found in one step. */
  readonly #byId = new Map<string, ManifestLocation[]>()
  #parser: PrefixParser | undefined

  constructor(private readonly access: StoreAccess) {}

  /** The markers of a backup's deletes. */
  async markersOf(backupId: string): Promise<readonly MarkerLocation[]> {
    await this.all(undefined)
    return this.#markers.filter((marker) => marker.backupId === backupId)
  }

  /** The locations in a container whose prefix ends with the id. */
  async withIdAtEnd(backupId: string, container: string): Promise<readonly ManifestLocation[]> {
    await this.#listOnce(container)
    return (this.#byId.get(backupId) ?? []).filter((location) => location.container === container)
  }

  /** Where a backup may be, the likely locations first: searching all of them for each parent would be quadratic. */
  async *candidates(backupId: string, nearContainer: string | undefined): AsyncGenerator<ManifestLocation> {
    const likely = new Set([nearContainer, this.#containerOf(backupId)])
    for (const container of likely)
      if (container !== undefined) yield* await this.withIdAtEnd(backupId, container)
    for (const container of await this.#containersWith(undefined))
      if (!likely.has(container)) yield* await this.withIdAtEnd(backupId, container)
    // A driver may put the id anywhere in its prefixes.
    for await (const location of this.containerByContainer(nearContainer)) {
      const isOther = idAtEnd(location.prefix) !== backupId
      if (
        location.unlisted ||
        (isOther && this.#mayHaveId(location.prefix, backupId, (id) => id === backupId))
      )
        yield location
    }
  }

  /** The container that the driver chooses for a backup of this id; undefined where it does not. */
  #containerOf(backupId: string): string | undefined {
    if (idProblem(backupId) !== null) return undefined
    return (
      this.access.store.updateContainerName({ ...sampleBackup, id: backupId, volumeId: backupId }, null) ??
      undefined
    )
  }

  /** Yields all locations, container by container, so that no other is listed when the first has the backup. */
  async *containerByContainer(nearContainer: string | undefined): AsyncGenerator<ManifestLocation> {
    if (nearContainer !== undefined) yield* await this.#listOnce(nearContainer)
    for (const container of await this.#containersWith(undefined)) {
      if (container !== nearContainer) yield* await this.#listOnce(container)
    }
  }

  /**
   * All locations; one with `unlisted` for a container that cannot be listed.
   *
   * @throws where `nearContainer`, or every container, cannot be listed
   */
  async all(nearContainer: string | undefined, namePrefix = ''): Promise<readonly ManifestLocation[]> {
    const containers = [...(await this.#containersWith(nearContainer))]
    const list = (container: string): Promise<readonly ManifestLocation[]> =>
      this.#listOnce(container, namePrefix)
    const locations = (await mapConcurrently(containers, list, CONCURRENT_LISTINGS)).flat()
    const failed = locations.filter(({ unlisted }) => unlisted)
    const near = failed.find(({ container }) => container === nearContainer)
    // The caller named this one; without any other, there would be no backups for no visible reason.
    const reason = near?.unlisted ?? (failed.length === containers.length ? failed[0]?.unlisted : undefined)
    if (reason) throw reason
    return locations
  }

  /**
   * As {@link all}, of backups that may be of a volume. Where the driver's prefixes begin with the volume, only such names are
   * listed, so that the number of other backups in a container does not matter.
   */
  async locationsOfVolume(
    volumeId: string,
    nearContainer: string | undefined,
  ): Promise<readonly ManifestLocation[]> {
    // No backup can have such an id, such as the path of a device, and no driver need make a name of it.
    if (idProblem(volumeId) !== null) return []
    const locations = await this.all(nearContainer, this.#namePrefixOf(volumeId))
    return locations.filter(({ prefix, unlisted }) => unlisted ?? mayBeOfVolume(prefix, volumeId))
  }

  /** What all names of a volume's backups begin with; empty where the driver's prefixes do not begin with the volume. */
  #namePrefixOf(volumeId: string): string {
    const namePrefix = volumePrefix(volumeId)
    const own = this.access.store.generateObjectNamePrefix({ ...sampleBackup, volumeId })
    return own.startsWith(namePrefix) ? namePrefix : ''
  }

  /** The locations of a volume's backups in one container, by the ids at the end of their prefixes. */
  async volumeById(container: string, volumeId: string): Promise<ReadonlyMap<string, ManifestLocation>> {
    const locations = await this.#listOnce(container, this.#namePrefixOf(volumeId))
    const own = locations.filter(({ prefix, unlisted }) => !unlisted && mayBeOfVolume(prefix, volumeId))
    return new Map(own.map((location) => [idAtEnd(location.prefix), location]))
  }

  /** Of these locations, those that may be of a backup whose id begins with `idPrefix`. */
  filterByIdPrefix(locations: readonly ManifestLocation[], idPrefix: string): readonly ManifestLocation[] {
    return locations.filter(
      ({ prefix, unlisted }) =>
        unlisted ?? this.#mayHaveId(prefix, idPrefix, (id) => id.startsWith(idPrefix)),
    )
  }

  /** Whether a prefix may contain such an id. Where its form shows which part is the id, no other part counts. */
  #mayHaveId(prefix: string, text: string, isSuch: (id: string) => boolean): boolean {
    if (!prefix.includes(text)) return false
    this.#parser ??= new PrefixParser(this.access.store)
    const ids = this.#parser.parse(prefix)
    return ids.length === 0 || ids.some(isSuch)
  }

  /** Whether there is a `_metadata` object of each of these ids in the likely containers. */
  async areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean> {
    for (const backupId of backupIds) {
      if (this.#byId.has(backupId)) continue
      for (const container of [nearContainer, this.#containerOf(backupId)]) {
        if (container !== undefined) await this.#listOnce(container)
      }
      if (!this.#byId.has(backupId)) return false
    }
    return true
  }

  async #containersWith(nearContainer: string | undefined): Promise<ReadonlySet<string>> {
    this.#containers ??= collect(this.access.store.getContainers(this.access.options))
    return new Set([...(nearContainer === undefined ? [] : [nearContainer]), ...(await this.#containers)])
  }

  #listOnce(container: string, namePrefix = ''): Promise<readonly ManifestLocation[]> {
    const key = `${container}\n${namePrefix}`
    const known = this.#listings.get(`${container}\n`) ?? this.#listings.get(key)
    if (known) return known
    const listing = this.#list(container, namePrefix)
    this.#listings.set(key, listing)
    return listing
  }

  async #list(container: string, namePrefix: string): Promise<readonly ManifestLocation[]> {
    try {
      const { manifests, markers } = await listContainer(this.access, container, namePrefix)
      for (const marker of markers) this.#markers.push(marker)
      for (const location of manifests) {
        const others = this.#byId.get(idAtEnd(location.prefix)) ?? []
        // A container may be listed in part, and later whole.
        const isKnown = others.some(
          (other) => other.container === container && other.prefix === location.prefix,
        )
        if (!isKnown) this.#byId.set(idAtEnd(location.prefix), [...others, location])
      }
      return manifests
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return [{ container, prefix: '', objectName: '', unlisted: error }]
    }
  }
}

async function collect(names: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = []
  for await (const name of names) all.push(name)
  return all
}

function idAtEnd(prefix: string): string {
  const at = prefix.lastIndexOf(BEFORE_ID)
  return at < 0 ? prefix : prefix.slice(at + BEFORE_ID.length)
}

import type { NewBackup } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { mayBeOfVolume, PrefixParser, volumePrefix } from '../format/backup-prefix.js'
import type { ObjectPlace } from '../format/metadata-reader.js'
import {
  idProblem,
  parseMarkerName,
  parseObjectName,
  prefixOfMetadataObject,
} from '../format/object-names.js'
import { mapConcurrently } from '../pipeline/slots.js'
import { isUnreadable, type BackupPlace, type StoreAccess } from '../store/access.js'

/** Where a `_metadata` object is. */
export interface MetadataPlace extends BackupPlace, ObjectPlace {
  /** Why the container cannot be listed: the place then stands for all of its backups. */
  readonly unlisted?: BackupError
}

/** Where the marker of a delete is. */
export interface MarkerPlace extends ObjectPlace {
  readonly backupId: string
}

/** The names of a container by which backups are found. */
export interface ContainerListing {
  readonly metadata: readonly MetadataPlace[]
  readonly markers: readonly MarkerPlace[]
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
  const metadata: MetadataPlace[] = []
  const markers: MarkerPlace[] = []
  for await (const objectName of access.names(container, namePrefix)) {
    if (metadata.length + markers.length >= MAX_BACKUPS) {
      const message = `The listing of container ${container} has more than ${MAX_BACKUPS} backups, and was not read further. Check the store, and keep fewer backups in one container.`
      throw new BackupError('LISTING_INVALID', message, { container })
    }
    const prefix = prefixOfMetadataObject(objectName)
    const backupId = prefix === null ? parseMarkerName(objectName) : undefined
    if (prefix !== null) metadata.push({ container, prefix, objectName })
    else if (backupId !== undefined) markers.push({ container, objectName, backupId })
  }
  return { metadata, markers }
}

/** Yields every prefix of objects in the store that are named as backups' objects are, of backups and of what was left over. */
export async function* findLeftBehind(access: StoreAccess): AsyncGenerator<BackupPlace> {
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

/** Any id, where only what precedes it in a prefix matters. */
const SAMPLE_ID = '5a3c1e7f-4b2d-4c6e-8f90-9d1e2f3a4b5c'

/** The places of the `_metadata` objects and markers in a store, by names alone. Each container is listed once. */
export class StorePlaces {
  #containers: Promise<readonly string[]> | undefined
  /** By container and prefix of names. */
  readonly #listings = new Map<string, Promise<readonly MetadataPlace[]>>()
  /** Of the containers that were listed. */
  readonly #markers: MarkerPlace[] = []
  /** By the id at the end of the prefix, so that each parent of a long chain is found in one step. */
  readonly #byId = new Map<string, MetadataPlace[]>()
  #parser: PrefixParser | undefined

  constructor(private readonly access: StoreAccess) {}

  /** The markers of a backup's deletes. */
  async markersOf(backupId: string): Promise<readonly MarkerPlace[]> {
    await this.all(undefined)
    return this.#markers.filter((marker) => marker.backupId === backupId)
  }

  /** The places in a container whose prefix ends with the id. */
  async endingWith(backupId: string, container: string): Promise<readonly MetadataPlace[]> {
    await this.#in(container)
    return (this.#byId.get(backupId) ?? []).filter((place) => place.container === container)
  }

  /** Where a backup may be, the likely places first: searching every place for each parent would be quadratic. */
  async *candidates(backupId: string, nearContainer: string | undefined): AsyncGenerator<MetadataPlace> {
    const likely = new Set([nearContainer, this.#containerOf(backupId)])
    for (const container of likely)
      if (container !== undefined) yield* await this.endingWith(backupId, container)
    for (const container of await this.#containersWith(undefined))
      if (!likely.has(container)) yield* await this.endingWith(backupId, container)
    // A driver may put the id anywhere in its prefixes.
    for await (const place of this.from(nearContainer)) {
      const isOther = idAtEnd(place.prefix) !== backupId
      if (place.unlisted || (isOther && this.#mayHaveId(place.prefix, backupId, (id) => id === backupId)))
        yield place
    }
  }

  /** The container that the driver chooses for a backup of this id; undefined where it does not. */
  #containerOf(backupId: string): string | undefined {
    if (idProblem(backupId) !== null) return undefined
    return this.access.store.updateContainerName(backupOfId(backupId), null) ?? undefined
  }

  /** Yields places container by container, so that no other is listed when the first has the backup. */
  async *from(nearContainer: string | undefined): AsyncGenerator<MetadataPlace> {
    if (nearContainer !== undefined) yield* await this.#in(nearContainer)
    for (const container of await this.#containersWith(undefined)) {
      if (container !== nearContainer) yield* await this.#in(container)
    }
  }

  /**
   * Every place; one with `unlisted` for a container that cannot be listed.
   *
   * @throws where `nearContainer`, or every container, cannot be listed
   */
  async all(nearContainer: string | undefined, namePrefix = ''): Promise<readonly MetadataPlace[]> {
    const containers = [...(await this.#containersWith(nearContainer))]
    const list = (container: string): Promise<readonly MetadataPlace[]> => this.#in(container, namePrefix)
    const places = (await mapConcurrently(containers, list, CONCURRENT_LISTINGS)).flat()
    const failed = places.filter(({ unlisted }) => unlisted)
    const near = failed.find(({ container }) => container === nearContainer)
    // The caller named this one; without any other, there would be no backups for no visible reason.
    const reason = near?.unlisted ?? (failed.length === containers.length ? failed[0]?.unlisted : undefined)
    if (reason) throw reason
    return places
  }

  /**
   * As {@link all}, of places that may be of a volume. Where the driver's prefixes begin with the volume, only such names are
   * listed, so that the number of other backups in a container does not matter.
   */
  async ofVolume(volumeId: string, nearContainer: string | undefined): Promise<readonly MetadataPlace[]> {
    const namePrefix = volumePrefix(volumeId)
    const own = this.access.store.generateObjectNamePrefix({ ...backupOfId(SAMPLE_ID), volumeId })
    const places = await this.all(nearContainer, own.startsWith(namePrefix) ? namePrefix : '')
    return places.filter(({ prefix, unlisted }) => unlisted ?? mayBeOfVolume(prefix, volumeId))
  }

  /** Of these places, those that may be of a backup whose id begins with `idPrefix`. */
  ofIdPrefix(places: readonly MetadataPlace[], idPrefix: string): readonly MetadataPlace[] {
    return places.filter(
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
        if (container !== undefined) await this.#in(container)
      }
      if (!this.#byId.has(backupId)) return false
    }
    return true
  }

  async #containersWith(nearContainer: string | undefined): Promise<ReadonlySet<string>> {
    this.#containers ??= collect(this.access.store.getContainers(this.access.options))
    return new Set([...(nearContainer === undefined ? [] : [nearContainer]), ...(await this.#containers)])
  }

  #in(container: string, namePrefix = ''): Promise<readonly MetadataPlace[]> {
    const key = `${container}\n${namePrefix}`
    const known = this.#listings.get(`${container}\n`) ?? this.#listings.get(key)
    if (known) return known
    const listing = this.#list(container, namePrefix)
    this.#listings.set(key, listing)
    return listing
  }

  async #list(container: string, namePrefix: string): Promise<readonly MetadataPlace[]> {
    try {
      const { metadata, markers } = await listContainer(this.access, container, namePrefix)
      for (const marker of markers) this.#markers.push(marker)
      for (const place of metadata) {
        const others = this.#byId.get(idAtEnd(place.prefix)) ?? []
        // A container may be listed in part, and later whole.
        const isKnown = others.some((other) => other.container === container && other.prefix === place.prefix)
        if (!isKnown) this.#byId.set(idAtEnd(place.prefix), [...others, place])
      }
      return metadata
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return [{ container, prefix: '', objectName: '', unlisted: error }]
    }
  }
}

/** A backup of which only the id is known: a driver's choice of a container may depend on nothing else. */
function backupOfId(id: string): NewBackup {
  return {
    ...{ id, volumeId: id, parentId: null, container: null, name: null, description: null },
    createdAt: new Date(0),
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

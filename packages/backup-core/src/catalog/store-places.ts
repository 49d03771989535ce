import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { NewBackup } from '../contracts/records.js'
import type { BackupError } from '../errors/backup-error.js'
import { mayBeOfVolume, PrefixParser, volumePrefix } from '../format/backup-prefix.js'
import { idProblem } from '../format/object-names.js'
import { Limiter } from '../pipeline/slots.js'
import { isUnreadable, listContainer, type MarkerPlace, type MetadataPlace } from './list-container.js'

/** Where a `_metadata` object is. */
export interface Place extends MetadataPlace {
  /** Why the container could not be listed: the place then stands for all that the container may hold. */
  readonly unlisted?: BackupError
}

/** How many containers are listed at once. */
const LISTINGS_AT_ONCE = 16

/** Any id will do where only what comes before it counts. */
const SAMPLE_ID = '5a3c1e7f-4b2d-4c6e-8f90-9d1e2f3a4b5c'

/** Where the `_metadata` objects and the markers of a store are, by names alone. Each container is listed once. */
export class StorePlaces {
  readonly #store: ObjectStore
  readonly #options: StoreOptions
  #containers: Promise<readonly string[]> | undefined
  readonly #places = new Map<string, Promise<readonly Place[]>>()
  /** Of a container and a prefix, where no more was listed of it. */
  readonly #partly = new Map<string, Promise<readonly Place[]>>()
  /** By the id of the backup whose delete did not finish: those of the containers that were listed. */
  readonly #markers = new Map<string, MarkerPlace[]>()
  readonly #index = new PlaceIndex<Place>()
  #allListed = false
  #parser: PrefixParser | undefined

  constructor(store: ObjectStore, options: StoreOptions) {
    this.#store = store
    this.#options = options
  }

  /** Where the markers of a backup's deletes are. */
  async markersOf(backupId: string): Promise<readonly MarkerPlace[]> {
    await this.#listAll(undefined)
    return this.#markers.get(backupId) ?? []
  }

  /** The places in a container that was listed, whose prefix ends with the id. */
  endingWith(backupId: string, container: string): readonly Place[] {
    return this.#index.endingWith(backupId, container)
  }

  /** Where a backup may be, the likely places first: a search of every place for each parent would be quadratic. */
  async *candidates(backupId: string, nearContainer: string | undefined): AsyncGenerator<Place> {
    const likely = new Set([nearContainer, this.#containerOf(backupId)])
    for (const container of likely) {
      if (container === undefined) continue
      await this.#in(container)
      yield* this.#index.endingWith(backupId, container)
    }
    if (!this.#allListed) {
      for (const container of await this.containers()) {
        await this.#in(container)
        if (!likely.has(container)) yield* this.#index.endingWith(backupId, container)
      }
      this.#allListed = true
    } else {
      for (const place of this.#index.endingWith(backupId)) if (!likely.has(place.container)) yield place
    }
    // A driver may put the id anywhere in its prefixes.
    for await (const place of this.from(nearContainer)) {
      if (place.unlisted) yield place
      else if (endsWithId(place, backupId)) continue
      else if (this.#mayHaveId(place.prefix, backupId, (id) => id === backupId)) yield place
    }
  }

  /** Where the driver puts a backup of this id on its own; undefined where it has no wish. */
  #containerOf(backupId: string): string | undefined {
    const isId = idProblem(backupId) === null
    return isId ? (this.#store.updateContainerName(backupOfId(backupId), null) ?? undefined) : undefined
  }

  /** Places container by container, so that one that is found near costs no look into the others. */
  async *from(nearContainer: string | undefined): AsyncGenerator<Place> {
    if (nearContainer !== undefined) yield* await this.#in(nearContainer)
    for (const container of await this.containers()) {
      if (container !== nearContainer) yield* await this.#in(container)
    }
  }

  #in(container: string): Promise<readonly Place[]> {
    const known = this.#places.get(container)
    if (known) return known
    const listing = this.#list(container)
    this.#places.set(container, listing)
    return listing
  }

  async #list(container: string, namePrefix = ''): Promise<readonly Place[]> {
    try {
      const { metadata, markers } = await listContainer(this.#store, container, this.#options, namePrefix)
      for (const marker of markers) {
        this.#markers.set(marker.backupId, [...(this.#markers.get(marker.backupId) ?? []), marker])
      }
      for (const place of metadata) this.#index.add(place)
      return metadata
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return [{ container, prefix: '', objectName: '', unlisted: error }]
    }
  }

  /** The containers that the store names, and one more. */
  async containers(nearContainer?: string): Promise<ReadonlySet<string>> {
    this.#containers ??= collect(this.#store.getContainers(this.#options))
    return new Set([...(nearContainer === undefined ? [] : [nearContainer]), ...(await this.#containers)])
  }

  /**
   * Every place; those of a container that cannot be listed are one that says so.
   *
   * @throws where `nearContainer`, or every container, cannot be listed
   */
  async all(nearContainer: string | undefined): Promise<readonly Place[]> {
    return placesOf(await this.#listAll(nearContainer), nearContainer)
  }

  /**
   * As {@link all}, of those that may be of a volume. Where the driver's prefixes begin with the volume, no other names are
   * asked for, so that it does not matter how many other volumes have backups in a container.
   */
  async ofVolume(volumeId: string, nearContainer: string | undefined): Promise<readonly Place[]> {
    const namePrefix = volumePrefix(volumeId)
    const own = this.#store.generateObjectNamePrefix({ ...backupOfId(SAMPLE_ID), volumeId })
    const list = own.startsWith(namePrefix)
      ? (container: string) => this.#partOf(container, namePrefix)
      : (container: string) => this.#in(container)
    const places = placesOf(await this.#listAll(nearContainer, list), nearContainer)
    return places.filter(({ prefix, unlisted }) => unlisted !== undefined || mayBeOfVolume(prefix, volumeId))
  }

  /** Of these places, those that may be of a backup whose id begins so, by their names. */
  ofIdPrefix(places: readonly Place[], idPrefix: string): readonly Place[] {
    return places.filter(
      ({ prefix, unlisted }) =>
        unlisted !== undefined || this.#mayHaveId(prefix, idPrefix, (id) => id.startsWith(idPrefix)),
    )
  }

  /**
   * Whether a prefix may be that of such an id. It contains the id; where it says which part of it that is, as those of
   * Cinder's drivers do, no other part counts.
   */
  #mayHaveId(prefix: string, text: string, isSuch: (id: string) => boolean): boolean {
    if (!prefix.includes(text)) return false
    this.#parser ??= new PrefixParser((backup) => this.#store.generateObjectNamePrefix(backup))
    const parsed = this.#parser.parse(prefix)
    if (!parsed) return true
    return (parsed.kind === 'backup' ? [parsed.backupId] : parsed.backupIds).some(isSuch)
  }

  /** Whether each of these ids is that of a backup whose `_metadata` object is listed. */
  async areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean> {
    for (const backupId of backupIds) {
      if (this.#index.endingWith(backupId).length > 0) continue
      for (const container of new Set([nearContainer, this.#containerOf(backupId)])) {
        if (container !== undefined) await this.#in(container)
      }
      if (this.#index.endingWith(backupId).length === 0) return false
    }
    return true
  }

  #partOf(container: string, namePrefix: string): Promise<readonly Place[]> {
    const whole = this.#places.get(container)
    if (whole) return whole
    const key = `${container}\n${namePrefix}`
    const known = this.#partly.get(key)
    if (known) return known
    const listing = this.#list(container, namePrefix)
    this.#partly.set(key, listing)
    return listing
  }

  async #listAll(
    nearContainer: string | undefined,
    list = (container: string): Promise<readonly Place[]> => this.#in(container),
  ): Promise<readonly Listing[]> {
    const containers = await this.containers(nearContainer)
    const limiter = new Limiter(LISTINGS_AT_ONCE)
    let hasFailed = false
    const listings = [...containers].map((container) =>
      limiter.run(async () => {
        if (hasFailed) return { container, found: [] }
        try {
          return { container, found: await list(container) }
        } catch (error) {
          hasFailed = true
          throw error
        }
      }),
    )
    // All of them are waited for: nothing goes on after a failure.
    await Promise.allSettled(listings)
    return Promise.all(listings)
  }
}

/** A container, and what was found in it. */
interface Listing {
  readonly container: string
  readonly found: readonly Place[]
}

/** @throws where `nearContainer`, or every container, could not be listed */
function placesOf(listings: readonly Listing[], nearContainer: string | undefined): readonly Place[] {
  const places: Place[] = []
  const unlisted: BackupError[] = []
  for (const { container, found } of listings) {
    const failures = found.flatMap((place) => place.unlisted ?? [])
    // The caller named this one.
    if (container === nearContainer && failures[0]) throw failures[0]
    unlisted.push(...failures)
    for (const place of found) places.push(place)
  }
  // There would be no backup for no reason that the caller could see.
  if (unlisted[0] && unlisted.length === listings.length) throw unlisted[0]
  return places
}

/** A backup of which the id alone is known: all that a driver's own choice of a container may rest on. */
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

/** What stands before the id in the prefixes of all drivers that we know. */
const BEFORE_ID = 'backup_'

/** A place that has a prefix, in a container. */
interface Prefixed {
  readonly container: string
  readonly prefix: string
}

/** Places of `_metadata` objects by the id that their prefix ends with: each parent of a long chain is found in one step. */
export class PlaceIndex<Place extends Prefixed> {
  readonly #byId = new Map<string, Place[]>()

  add(place: Place): void {
    const id = endingId(place.prefix)
    const others = this.#byId.get(id)
    // A container can be listed in part, and later whole.
    if (others?.some(({ container, prefix }) => container === place.container && prefix === place.prefix))
      return
    if (others) others.push(place)
    else this.#byId.set(id, [place])
  }

  /** The places whose prefix ends with this id, in one container or in all. */
  endingWith(backupId: string, container?: string): readonly Place[] {
    const places = this.#byId.get(backupId) ?? []
    return container === undefined ? places : places.filter((place) => place.container === container)
  }
}

/** Whether {@link PlaceIndex} finds the place by this id. */
export function endsWithId({ prefix }: Prefixed, backupId: string): boolean {
  return endingId(prefix) === backupId
}

function endingId(prefix: string): string {
  const at = prefix.lastIndexOf(BEFORE_ID)
  return at < 0 ? prefix : prefix.slice(at + BEFORE_ID.length)
}

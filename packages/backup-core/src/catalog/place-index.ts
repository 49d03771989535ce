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

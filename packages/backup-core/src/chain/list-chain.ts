import { signalOptions } from '../driver/signal-options.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import { backupPrefixOf } from '../format/object-names.js'
import { listBackupObjects, type BackupListing } from '../store/list-objects.js'

/**
 * From so many backups in one container on, they are listed together: a directory is read whole for each listing, whatever
 * is asked for. For fewer, the other backups of the volume, which come with them, would cost more.
 */
const LISTED_TOGETHER = 8

/** Lists the objects of each backup of a chain. */
export class ChainListing {
  readonly #store: ObjectStore
  readonly #signal: AbortSignal | undefined
  readonly #together = new Map<string, BackupRecord[]>()
  readonly #listings = new Map<string, Promise<ReadonlyMap<string, Set<string>>>>()

  constructor(store: ObjectStore, records: readonly BackupRecord[], signal: AbortSignal | undefined) {
    this.#store = store
    this.#signal = signal
    for (const record of records) {
      const others = this.#together.get(record.container)
      if (others) others.push(record)
      else this.#together.set(record.container, [record])
    }
  }

  /**
   * Lists a backup's objects.
   *
   * @param alone - lists names as well that begin with the prefix and are no backup's
   */
  async of({ container, prefix }: BackupRecord, alone: boolean): Promise<BackupListing> {
    const records = this.#together.get(container) ?? []
    if (alone || records.length < LISTED_TOGETHER) {
      return listBackupObjects(this.#store, container, prefix, signalOptions(this.#signal))
    }
    let listing = this.#listings.get(container)
    if (!listing) {
      listing = this.#listTogether(container, records)
      this.#listings.set(container, listing)
    }
    return { own: (await listing).get(prefix) ?? new Set(), others: [] }
  }

  async #listTogether(
    container: string,
    records: readonly BackupRecord[],
  ): Promise<ReadonlyMap<string, Set<string>>> {
    const own = new Map(records.map(({ prefix }) => [prefix, new Set<string>()]))
    const common = records.map(({ prefix }) => prefix).reduce(commonStart)
    for await (const name of this.#store.getContainerEntries(
      container,
      common,
      signalOptions(this.#signal),
    )) {
      own.get(backupPrefixOf(name) ?? '')?.add(name)
    }
    return own
  }
}

function commonStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}

import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { prefixOfBackupObject } from '../format/object-names.js'

/** Objects that share a prefix, as backups' objects do. */
export interface PrefixInUse {
  readonly container: string
  readonly prefix: string
  /** Whether one of them is a `_metadata` object, readable or not. */
  readonly hasMetadata: boolean
}

/** Every prefix that names of the store have in common, of backups and of what was left of them. Not all are backups'. */
export async function* findLeftBehind(
  store: ObjectStore,
  options: StoreOptions,
): AsyncGenerator<PrefixInUse> {
  for await (const container of store.getContainers(options)) {
    yield* prefixesIn(store, container, options)
  }
}

/** The prefixes of one container: they alone are held, and not the names. */
export async function* prefixesIn(
  store: ObjectStore,
  container: string,
  options: StoreOptions,
): AsyncGenerator<PrefixInUse> {
  const prefixes = new Map<string, boolean>()
  for await (const name of store.getContainerEntries(container, '', options)) {
    const found = prefixOfBackupObject(name)
    if (found) prefixes.set(found.prefix, found.isMetadata || prefixes.get(found.prefix) === true)
  }
  for (const [prefix, hasMetadata] of prefixes) yield { container, prefix, hasMetadata }
}

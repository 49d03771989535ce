import { isBackupObjectName, metadataObjectName, sha256fileObjectName } from '../format/object-names.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'

/** What lies under a backup's prefix. */
export interface BackupListing {
  /** Names that a backup's objects can have. */
  readonly own: ReadonlySet<string>
  /** Other names that begin with the prefix: another backup's, whose id begins with this one's, or strangers. */
  readonly others: readonly string[]
}

/** Lists a backup's objects. The prefix of backup `a` is a prefix of what backup `ab` stored, so names are told apart. */
export async function listBackupObjects(
  store: ObjectStore,
  container: string,
  prefix: string,
  options: StoreOptions,
): Promise<BackupListing> {
  const own = new Set<string>()
  const others: string[] = []
  for await (const name of store.getContainerEntries(container, prefix, options)) {
    if (isBackupObjectName(prefix, name)) own.add(name)
    else if (name.startsWith(prefix)) others.push(name)
  }
  return { own, others }
}

/** The two objects of every backup beside its chunks. */
export function controlObjectNames(prefix: string): readonly [metadata: string, sha256file: string] {
  return [metadataObjectName(prefix), sha256fileObjectName(prefix)]
}

import { setTimeout as sleep } from 'node:timers/promises'
import { listContainer, type ContainerListing } from '../catalog/list-container.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { DeleteTarget } from './dependents.js'

/** The waits before an empty listing is asked for again: a listing may lag behind the objects. */
const WAITS_MS = [100, 300, 900]

/**
 * Lists a container for a search for dependents. An empty listing of a container in which `_metadata` or the marker of a
 * backup to delete exists is asked for again: taken as it is, it would hide each incremental in the container.
 *
 * @param own - the backups to delete that are in the container
 * @throws `STORE_FAILED` where the listing stays empty
 */
export async function listSound(
  store: ObjectStore,
  container: string,
  own: readonly DeleteTarget[],
  options: StoreOptions,
): Promise<ContainerListing> {
  let present: string | undefined
  let listing: ContainerListing = { metadata: [], markers: [] }
  for (const waitMs of [0, ...WAITS_MS]) {
    if (waitMs > 0) await pause(waitMs, options.signal)
    listing = await listContainer(store, container, options)
    if (listing.metadata.length + listing.markers.length > 0) return listing
    present = await presentObject(store, own, options)
    if (present === undefined) return listing
  }
  // A listing that names the backup's chunks, and not yet its marker, lags.
  if (await listsObjects(store, own, options)) return listing
  throw new BackupError(
    'STORE_FAILED',
    `The listing of container ${container} is empty, although object ${present ?? ''} is in the container. Check the store.`,
    { container },
  )
}

/** An object that the container's listing has to name. */
async function presentObject(
  store: ObjectStore,
  own: readonly DeleteTarget[],
  options: StoreOptions,
): Promise<string | undefined> {
  for (const target of own) {
    for (const objectName of [metadataObjectName(target.prefix), target.markerName]) {
      if (objectName !== undefined && (await store.objectExists(target.container, objectName, options)))
        return objectName
    }
  }
  return undefined
}

async function listsObjects(
  store: ObjectStore,
  own: readonly DeleteTarget[],
  options: StoreOptions,
): Promise<boolean> {
  for (const { container, prefix } of own) {
    for await (const name of store.getContainerEntries(container, prefix, options)) return name !== ''
  }
  return false
}

async function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(waitMs, undefined, signal ? { signal } : {})
  } catch (error) {
    throwIfAborted(signal, 'The delete')
    throw error
  }
}

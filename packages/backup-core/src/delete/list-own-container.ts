import { setTimeout as sleep } from 'node:timers/promises'
import { listContainer, type ContainerListing } from '../catalog/list-container.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { DeleteTarget } from './find-target.js'
import type { StoreAccess } from './marker.js'

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

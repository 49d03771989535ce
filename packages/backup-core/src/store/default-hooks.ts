import type { FailedDelete, ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { throwIfAborted } from '../errors/abort.js'
import { isBackupError } from '../errors/backup-error.js'
import { Limiter } from '../pipeline/slots.js'
import { withReader } from './objects.js'

/** How many objects are deleted at once. */
const DELETES_AT_ONCE = 8

/** Deletes objects one by one, a few at once, and returns the ones that it could not delete. */
export async function removeOneByOne(
  store: Pick<ObjectStore, 'deleteObject'>,
  container: string,
  objectNames: readonly string[],
  options: StoreOptions,
): Promise<FailedDelete[]> {
  const failed: FailedDelete[] = []
  const limiter = new Limiter(DELETES_AT_ONCE)
  await Promise.all(
    objectNames.map((objectName) =>
      limiter.run(async () => {
        if (options.signal?.aborted) return
        try {
          await store.deleteObject(container, objectName, options)
        } catch (error) {
          failed.push({ objectName, error })
        }
      }),
    ),
  )
  // Neither deleted nor failed: whoever aborted is told that, and not that objects cannot be deleted.
  throwIfAborted(options.signal, 'The delete')
  return failed
}

/** Looks for an object in the listing and, where that may lag behind, by opening it. */
export async function objectExistsByListing(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: StoreOptions,
): Promise<boolean> {
  for await (const name of store.getContainerEntries(container, objectName, options)) {
    if (name === objectName) return true
  }
  if (!store.capabilities.eventualListing) return false
  try {
    await withReader(store, container, objectName, { ...options, extraMetadata: null }, (reader) =>
      reader.read({ ...options, maxBytes: 0 }),
    )
    return true
  } catch (error) {
    // Longer than nothing, so it is there.
    if (isBackupError(error, 'OBJECT_TOO_LARGE')) return true
    if (isBackupError(error, 'OBJECT_MISSING')) return false
    throw error
  }
}

/** The one container that a driver knows without asking its store; none where it has no default. */
// eslint-disable-next-line @typescript-eslint/require-await -- the hook is asynchronous for stores that are asked
export async function* onlyContainer(
  container: string | null,
  options: StoreOptions,
): AsyncGenerator<string> {
  throwIfAborted(options.signal)
  if (container !== null) yield container
}

import type {
  ContainerOptions,
  DeleteObjectOptions,
  DriverCapabilities,
  FailedDelete,
  ObjectInfo,
  ObjectOptions,
  ObjectReader,
  ObjectStore,
  ObjectWriter,
  RemoveTemporariesOptions,
  StoreOptions,
  TemporaryObject,
  WriterOptions,
} from '../contracts/object-store.js'
import type { ExtraMetadata, NewBackup } from '../contracts/records.js'
import { throwIfAborted } from '../errors/backup-error.js'
import { StoreAccess } from './access.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

/** The hooks of a backend: those that it must implement, and the defaults of the others. See {@link ObjectStore}. */
export abstract class BackendHooks implements ObjectStore {
  abstract readonly capabilities: DriverCapabilities

  /** The container of backups that name none; null where the driver makes one for each backup. */
  abstract get defaultContainer(): string | null

  abstract putContainer(container: string, options: StoreOptions): Promise<void>

  abstract getContainerEntries(
    container: string,
    prefix: string,
    options: StoreOptions,
  ): AsyncIterable<string>

  abstract getObjectWriter(
    container: string,
    objectName: string,
    options: WriterOptions,
  ): Promise<ObjectWriter>

  abstract getObjectReader(
    container: string,
    objectName: string,
    options: ObjectOptions,
  ): Promise<ObjectReader>

  abstract deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void>

  abstract generateObjectNamePrefix(backup: NewBackup): string

  abstract updateContainerName(backup: NewBackup, container: string | null): string | null

  abstract getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata>

  /** Checks whether the store can be used: reached, written to, signed in to. Rejects with the reason if not. */
  abstract checkForSetupError(options?: StoreOptions): Promise<void>

  // A backend may override the following where its store has a better way.

  /** Deletes objects one by one, several concurrently. Returns those that it could not delete. */
  async deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    const failed: FailedDelete[] = []
    await mapConcurrently(objectNames, async (objectName) => {
      if (options.signal?.aborted) return
      try {
        await this.deleteObject(container, objectName, options)
      } catch (error) {
        failed.push({ objectName, error })
      }
    })
    // After an abort some objects were not tried: the error is the abort, not a failed delete.
    throwIfAborted(options.signal, 'The delete')
    return failed
  }

  /** Checks for an object in the listing and, where that may lag, by opening the object. */
  async objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    const access = new StoreAccess(this, options)
    for await (const name of access.names(container, objectName)) if (name === objectName) return true
    return this.capabilities.eventualListing === true && access.canOpen(container, objectName)
  }

  /** Returns false. A driver that overrides this declares `localFiles`. */
  ownsPath(_path: string, _options?: StoreOptions): Promise<boolean> {
    return Promise.resolve(false)
  }

  /** Returns undefined. A driver that overrides this declares `modificationTimes`. */
  objectModifiedAt(
    _container: string,
    _objectName: string,
    _options: StoreOptions,
  ): Promise<Date | undefined> {
    return Promise.resolve(undefined)
  }

  /** Returns undefined. A driver that overrides this declares `objectInfo`. */
  objectInfo(
    _container: string,
    _objectName: string,
    _options: StoreOptions,
  ): Promise<ObjectInfo | undefined> {
    return Promise.resolve(undefined)
  }

  /** Removes nothing. A driver that overrides this declares `temporaryObjects`. */
  removeTemporaries(_options: RemoveTemporariesOptions): Promise<TemporaryObject[]> {
    return Promise.resolve([])
  }

  /** Yields the default container, if there is one. A driver that overrides this declares `containerListing`. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the hook is asynchronous for stores that send requests
  async *getContainers(options: ContainerOptions): AsyncGenerator<string> {
    throwIfAborted(options.signal)
    if (this.defaultContainer !== null) yield this.defaultContainer
  }
}

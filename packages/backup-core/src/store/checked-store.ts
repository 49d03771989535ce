import type {
  ContainerOptions,
  DeleteObjectOptions,
  DriverCapabilities,
  FailedDelete,
  ObjectOptions,
  ObjectReader,
  ObjectStore,
  ObjectWriter,
  RemoveTemporariesOptions,
  ReplayableBody,
  StoreOptions,
  TemporaryObject,
  WriterOptions,
} from '../contracts/object-store.js'
import type { ExtraMetadata, NewBackup } from '../contracts/records.js'
import { assertDeclaredReader, assertDeclaredWriter } from './capabilities.js'
import { errorMapper, mapIterable, type CallContext } from '../errors/error-mapper.js'

/** A backend's own codes pass as they are: what is left is what it did not recognise. */
const errors = errorMapper(() => undefined)

/**
 * A backend's store as the engine calls it: whatever a hook throws or rejects with is a `BackupError`. An abort is
 * `ABORTED` however the backend reports it, and an error that is not a `BackupError` is `STORE_FAILED`.
 */
export function checkedStore(store: ObjectStore): ObjectStore {
  return new CheckedStore(store)
}

/** @returns what `checkForSetupError` and other calls that are not hooks resolve with, their errors mapped as those of the hooks */
export function checkedSetup<T>(
  action: string,
  signal: AbortSignal | undefined,
  call: () => T | Promise<T>,
): Promise<T> {
  return attempt({ action, signal }, call)
}

class CheckedStore implements ObjectStore {
  constructor(private readonly store: ObjectStore) {}

  get capabilities(): DriverCapabilities {
    return this.store.capabilities
  }

  putContainer(container: string, options: StoreOptions): Promise<void> {
    const context = { action: 'create the container', container, signal: options.signal }
    return attempt(context, () => this.store.putContainer(container, options))
  }

  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string> {
    const context = { action: 'list the container', container, signal: options.signal }
    return iterate(context, () => this.store.getContainerEntries(container, prefix, options))
  }

  async getObjectWriter(
    container: string,
    objectName: string,
    options: WriterOptions,
  ): Promise<ObjectWriter> {
    const context = { action: 'write the object', container, objectName, signal: options.signal }
    const open = (): Promise<ObjectWriter> => this.store.getObjectWriter(container, objectName, options)
    const writer = await attempt(context, open)
    try {
      assertDeclaredWriter(writer, this.capabilities)
    } catch (error) {
      await writer.abort()
      throw error
    }
    return checkedWriter(writer, context)
  }

  async getObjectReader(
    container: string,
    objectName: string,
    options: ObjectOptions,
  ): Promise<ObjectReader> {
    const context = { action: 'read the object', container, objectName, signal: options.signal }
    const open = (): Promise<ObjectReader> => this.store.getObjectReader(container, objectName, options)
    const reader = await attempt(context, open)
    try {
      assertDeclaredReader(reader, this.capabilities)
    } catch (error) {
      await reader.close?.().catch(() => undefined)
      throw error
    }
    return checkedReader(reader, context)
  }

  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void> {
    const context = { action: 'delete the object', container, objectName, signal: options.signal }
    return attempt(context, () => this.store.deleteObject(container, objectName, options))
  }

  async deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    const { signal } = options
    const context = { action: 'delete objects in the container', container, signal }
    const failed = await attempt(context, () => this.store.deleteObjects(container, objectNames, options))
    return failed.map(({ objectName, error }) => {
      const one = { action: 'delete the object', container, objectName, signal }
      return { objectName, error: errors.errorOf(error, one) }
    })
  }

  objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    const context = { action: 'look for the object', container, objectName, signal: options.signal }
    return attempt(context, () => this.store.objectExists(container, objectName, options))
  }

  generateObjectNamePrefix(backup: NewBackup): string {
    return this.store.generateObjectNamePrefix(backup)
  }

  updateContainerName(backup: NewBackup, container: string | null): string | null {
    return this.store.updateContainerName(backup, container)
  }

  getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata> {
    const context = { action: 'prepare a backup in the container', container: backup.container ?? undefined }
    return attempt(context, () => this.store.getExtraMetadata(backup))
  }

  getContainers(options: ContainerOptions): AsyncIterable<string> {
    const context = { action: 'search the store for containers', signal: options.signal }
    return iterate(context, () => this.store.getContainers(options))
  }

  ownsPath(path: string, options?: StoreOptions): Promise<boolean> {
    const context = { action: 'compare the target with the store', signal: options?.signal }
    return attempt(context, () => this.store.ownsPath(path, options))
  }

  objectModifiedAt(container: string, objectName: string, options: StoreOptions): Promise<Date | undefined> {
    const context = { action: 'look for the object', container, objectName, signal: options.signal }
    return attempt(context, () => this.store.objectModifiedAt(container, objectName, options))
  }

  removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]> {
    const context = { action: 'remove temporary files', signal: options.signal }
    return attempt(context, () => this.store.removeTemporaries(options))
  }
}

function checkedWriter(writer: ObjectWriter, context: CallContext): ObjectWriter {
  const writeFrom = writer.writeFrom?.bind(writer)
  return {
    write: (bytes) => attempt(context, () => writer.write(bytes)),
    ...(writeFrom && {
      writeFrom: (body: ReplayableBody) => attempt(context, () => writeFrom(body)),
    }),
    close: () => attempt(context, () => writer.close()),
    abort: () => writer.abort(),
  }
}

function checkedReader(reader: ObjectReader, context: CallContext): ObjectReader {
  const stream = reader.stream?.bind(reader)
  const readRange = reader.readRange?.bind(reader)
  const close = reader.close?.bind(reader)
  // A call may have a signal beside the reader's own: the one that was aborted is meant.
  const during = (options: StoreOptions | undefined): CallContext => ({
    ...context,
    get signal() {
      return options?.signal?.aborted === true ? options.signal : context.signal
    },
  })
  return {
    read: (options) => attempt(during(options), () => reader.read(options)),
    ...(stream && {
      stream: (options?: StoreOptions) => iterate(during(options), () => stream(options)),
    }),
    ...(readRange && {
      readRange: (...range: Parameters<typeof readRange>) =>
        attempt(during(range[2]), () => readRange(...range)),
    }),
    ...(close && { close: () => attempt(context, close) }),
  }
}

/** Makes a call even where its signal was aborted: whether that ends it is for the backend to say. */
async function attempt<T>(context: CallContext, call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw errors.errorOf(error, context)
  }
}

function iterate<T>(context: CallContext, open: () => AsyncIterable<T>): AsyncIterable<T> {
  return mapIterable(open, (error) => errors.errorOf(error, context))
}

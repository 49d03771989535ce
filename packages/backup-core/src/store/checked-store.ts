import {
  type DriverCapabilities,
  type ObjectReader,
  type ObjectStore,
  type ObjectWriter,
  type ReplayableBody,
  type StoreOptions,
} from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import { errorMapper, mapErrors, mapIterable, type CallContext } from '../errors/error-mapper.js'

/** A backend's own codes pass unchanged. Every other error becomes `STORE_FAILED`, or `ABORTED`. */
const errors = errorMapper(() => undefined)

/**
 * Returns a backend's store as the engine calls it: whatever a hook throws or rejects with is a `BackupError`. An abort is
 * `ABORTED` however the backend reports it, and an error that is not a `BackupError` is `STORE_FAILED`.
 */
export function checkedStore(store: ObjectStore): ObjectStore {
  return {
    get capabilities() {
      return store.capabilities
    },
    putContainer: (container, options) =>
      attempt(callOf('create the container', options, container), () =>
        store.putContainer(container, options),
      ),
    getContainerEntries: (container, prefix, options) =>
      iterate(callOf('list the container', options, container), () =>
        store.getContainerEntries(container, prefix, options),
      ),
    async getObjectWriter(container, objectName, options) {
      const call = callOf('write the object', options, container, objectName)
      const writer = await attempt(call, () => store.getObjectWriter(container, objectName, options))
      try {
        assertMethod('A writer of the driver', store, 'streamingBodies', writer, 'writeFrom')
      } catch (error) {
        await attempt(call, () => writer.abort()).catch(() => undefined)
        throw error
      }
      return checkedWriter(writer, call)
    },
    async getObjectReader(container, objectName, options) {
      const call = callOf('read the object', options, container, objectName)
      const reader = await attempt(call, () => store.getObjectReader(container, objectName, options))
      try {
        assertMethod('A reader of the driver', store, 'streamingReads', reader, 'stream')
        assertMethod('A reader of the driver', store, 'rangedReads', reader, 'readRange')
      } catch (error) {
        await reader.close?.().catch(() => undefined)
        throw error
      }
      return checkedReader(reader, call)
    },
    deleteObject: (container, objectName, options) =>
      attempt(callOf('delete the object', options, container, objectName), () =>
        store.deleteObject(container, objectName, options),
      ),
    async deleteObjects(container, objectNames, options) {
      const call = callOf('delete objects in the container', options, container)
      const failed = await attempt(call, () => store.deleteObjects(container, objectNames, options))
      return failed.map(({ objectName, error }) => ({
        objectName,
        error: errors.errorOf(error, callOf('delete the object', options, container, objectName)),
      }))
    },
    objectExists: (container, objectName, options) =>
      attempt(callOf('check for the object', options, container, objectName), () =>
        store.objectExists(container, objectName, options),
      ),
    generateObjectNamePrefix: (backup) =>
      attemptSync(callOf('choose the prefix of the backup'), () => store.generateObjectNamePrefix(backup)),
    updateContainerName: (backup, container) =>
      attemptSync(callOf('choose the container of the backup'), () =>
        store.updateContainerName(backup, container),
      ),
    getExtraMetadata: (backup) =>
      attempt(callOf('prepare a backup in the container', {}, backup.container ?? undefined), () =>
        store.getExtraMetadata(backup),
      ),
    getContainers: (options) =>
      iterate(callOf('search the store for containers', options), () => store.getContainers(options)),
    ownsPath: (path, options) =>
      attempt(callOf('compare the target with the store', options), () => store.ownsPath(path, options)),
    objectModifiedAt: (container, objectName, options) =>
      attempt(callOf('check for the object', options, container, objectName), () =>
        store.objectModifiedAt(container, objectName, options),
      ),
    objectInfo: (container, objectName, options) =>
      attempt(callOf('check for the object', options, container, objectName), () =>
        store.objectInfo(container, objectName, options),
      ),
    removeTemporaries: (options) =>
      attempt(callOf('remove temporary files', options), () => store.removeTemporaries(options)),
  }
}

/** Calls a method of a driver that is not in `ObjectStore`, and maps its errors as those of the hooks. */
export function callDriver<T>(action: string, options: StoreOptions, call: () => T | Promise<T>): Promise<T> {
  return attempt(callOf(action, options), call)
}

function callOf(
  action: string,
  { signal }: StoreOptions = {},
  container?: string,
  objectName?: string,
): CallContext {
  return { action, container, objectName, signal }
}

function checkedWriter(writer: ObjectWriter, call: CallContext): ObjectWriter {
  const writeFrom = writer.writeFrom?.bind(writer)
  return {
    write: (bytes) => attempt(call, () => writer.write(bytes)),
    ...(writeFrom && { writeFrom: (body: ReplayableBody) => attempt(call, () => writeFrom(body)) }),
    close: () => attempt(call, () => writer.close()),
    abort: () => attempt(call, () => writer.abort()),
  }
}

function checkedReader(reader: ObjectReader, call: CallContext): ObjectReader {
  const stream = reader.stream?.bind(reader)
  const readRange = reader.readRange?.bind(reader)
  const close = reader.close?.bind(reader)
  // A call may have a signal beside the reader's own: the error is about the one that was aborted.
  const during = (options: StoreOptions | undefined): CallContext => ({
    ...call,
    get signal() {
      return options?.signal?.aborted === true ? options.signal : call.signal
    },
  })
  return {
    read: (options) => attempt(during(options), () => reader.read(options)),
    ...(stream && { stream: (options?: StoreOptions) => iterate(during(options), () => stream(options)) }),
    ...(readRange && {
      readRange: (...range: Parameters<typeof readRange>) =>
        attempt(during(range[2]), () => readRange(...range)),
    }),
    ...(close && { close: () => attempt(call, close) }),
  }
}

/** Makes a call even where its signal was aborted: the backend decides whether that ends it. */
function attempt<T>(context: CallContext, call: () => T | PromiseLike<T>): Promise<T> {
  return mapErrors(call, (error) => errors.errorOf(error, context))
}

function attemptSync<T>(context: CallContext, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw errors.errorOf(error, context)
  }
}

function iterate<T>(context: CallContext, open: () => AsyncIterable<T>): AsyncIterable<T> {
  return mapIterable(open, (error) => errors.errorOf(error, context))
}

/** The hook that a driver overrides for each of these capabilities. */
const HOOKS = {
  containerListing: 'getContainers',
  modificationTimes: 'objectModifiedAt',
  objectInfo: 'objectInfo',
  temporaryObjects: 'removeTemporaries',
  localFiles: 'ownsPath',
} as const satisfies Partial<Record<keyof DriverCapabilities, keyof ObjectStore>>

/**
 * Rejects a driver that overrides a hook without declaring its capability, or declares it without overriding the hook.
 *
 * @param base - has the hooks as they are where they are not overridden
 * @throws BackupError `OPTION_INVALID`
 */
export function assertDeclared(driver: ObjectStore, base: ObjectStore): void {
  for (const [capability, hook] of Object.entries(HOOKS) as [keyof typeof HOOKS, keyof ObjectStore][])
    assertMethod(`The driver ${driver.constructor.name}`, driver, capability, driver, hook, base)
}

/** @param base - has the method as it is where the owner does not implement it */
function assertMethod(
  what: string,
  { capabilities }: Pick<ObjectStore, 'capabilities'>,
  capability: keyof DriverCapabilities,
  owner: object,
  name: string,
  base: object = {},
): void {
  const isDeclared = capabilities[capability] === true
  if (isDeclared === (Reflect.get(owner, name) !== Reflect.get(base, name))) return
  const fault = isDeclared
    ? `has no ${name}(), although the capability ${capability} is declared. Implement ${name}(), or remove the capability.`
    : `has ${name}(), but the capability ${capability} is not declared. Declare it, or remove ${name}().`
  throw new BackupError('OPTION_INVALID', `${what} ${fault}`)
}

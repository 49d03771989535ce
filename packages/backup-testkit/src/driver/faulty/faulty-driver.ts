import {
  checkArgument,
  checkOptions,
  ChunkedBackupDriver,
  chunkedDriverShape,
  optionRules,
  storeShape,
} from '@stowage/backup-core'
import type {
  ChunkedDriverOptions,
  CreatedStore,
  DriverDefaults,
  ExtraMetadata,
  FailedDelete,
  NewBackup,
  ObjectInfo,
  ObjectOptions,
  ObjectReader,
  RemoveTemporariesOptions,
  TemporaryObject,
  ObjectWriter,
  OptionShape,
  DeleteObjectOptions,
  StoreOptions,
  WriterOptions,
} from '@stowage/backup-core'
import { FaultPlan } from './fault-plan.js'
import type { Fault, StoreCall, StoreOperation } from './faults.js'
import { faultyReader, faultyWriter } from './faulty-io.js'

/** How to wrap a driver. */
export interface FaultyDriverOptions extends ChunkedDriverOptions {
  /** @default none: calls are only recorded */
  readonly faults?: readonly Fault[]
}

const innerDriver = optionRules.withMethods('a driver', ['getObjectReader', 'getObjectWriter'])

const faultyDriverShape: OptionShape<FaultyDriverOptions> = {
  ...chunkedDriverShape,
  faults: optionRules.arrayOf(optionRules.object, 'an array of faults, as fault.fail() returns them'),
}

/**
 * A driver that uses the hooks of another one, and fails as planned. Its engine is its own: chunk size, block size and
 * container are the inner driver's unless given, the other options are not. Closing it closes the inner one.
 */
export class FaultyBackupDriver extends ChunkedBackupDriver {
  readonly #inner: ChunkedBackupDriver
  /** Those of the inner driver that are neither closed nor aborted. */
  readonly #writers = new Set<ObjectWriter>()
  readonly #plan = new FaultPlan()

  constructor(inner: ChunkedBackupDriver, given: FaultyDriverOptions = {}) {
    checkArgument('the inner driver of FaultyBackupDriver', inner, innerDriver)
    checkOptions('the options of FaultyBackupDriver', given, faultyDriverShape)
    const { faults = [], ...options } = given
    super(options, defaultsOf(inner))
    this.#inner = inner
    for (const fault of faults) this.addFault(fault)
  }

  /** Every call so far, in order. A call that failed is among them. */
  get calls(): readonly StoreCall[] {
    return this.#plan.calls
  }

  /** How often an operation was called, on this object or on those whose name matches. */
  count(operation: StoreOperation, object?: string | RegExp): number {
    return this.#plan.count(operation, object)
  }

  /** Adds a fault to the plan; its `nth` counts from now. */
  addFault(fault: Fault): void {
    this.#plan.add(fault)
  }

  /** Removes all faults. */
  clearFaults(): void {
    this.#plan.clear()
  }

  putContainer(container: string, options: StoreOptions): Promise<void> {
    const call: StoreCall = { operation: 'putContainer', container }
    return this.#plan.call(call, options.signal, () => this.#inner.putContainer(container, options))
  }

  async *getContainerEntries(
    container: string,
    prefix: string,
    options: StoreOptions,
  ): AsyncGenerator<string> {
    const faultyCall = this.#plan.record({ operation: 'getContainerEntries', container })
    await faultyCall.before(options.signal)
    for await (const name of this.#inner.getContainerEntries(container, prefix, options)) {
      if (faultyCall.shows(name)) yield name
    }
    faultyCall.after()
  }

  async getObjectWriter(
    container: string,
    objectName: string,
    options: WriterOptions,
  ): Promise<ObjectWriter> {
    const faultyCall = this.#plan.record({ operation: 'getObjectWriter', container, objectName })
    await faultyCall.before(options.signal)
    const inner = await this.#inner.getObjectWriter(container, objectName, options)
    try {
      faultyCall.after()
    } catch (error) {
      await inner.abort()
      throw error
    }
    this.#writers.add(inner)
    return faultyWriter(inner, this.#plan, { container, objectName, signal: options.signal }, () => {
      this.#writers.delete(inner)
    })
  }

  async getObjectReader(
    container: string,
    objectName: string,
    options: ObjectOptions,
  ): Promise<ObjectReader> {
    const faultyCall = this.#plan.record({ operation: 'getObjectReader', container, objectName })
    await faultyCall.before(options.signal)
    const inner = await this.#inner.getObjectReader(container, objectName, options)
    try {
      faultyCall.after()
    } catch (error) {
      await inner.close?.()
      throw error
    }
    return faultyReader(inner, this.#plan, { container, objectName, signal: options.signal })
  }

  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void> {
    const call: StoreCall = { operation: 'deleteObject', container, objectName }
    return this.#plan.call(call, options.signal, () =>
      this.#inner.deleteObject(container, objectName, options),
    )
  }

  override deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    const call: StoreCall = { operation: 'deleteObjects', container }
    return this.#plan.call(call, options.signal, () =>
      // Where the inner driver deletes one by one, faults of `deleteObject` apply here too.
      this.#inherits('deleteObjects')
        ? super.deleteObjects(container, objectNames, options)
        : this.#inner.deleteObjects(container, objectNames, options),
    )
  }

  override objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    const call: StoreCall = { operation: 'objectExists', container, objectName }
    return this.#plan.call(call, options.signal, () =>
      this.#inherits('objectExists')
        ? super.objectExists(container, objectName, options)
        : this.#inner.objectExists(container, objectName, options),
    )
  }

  override async *getContainers(options: StoreOptions): AsyncGenerator<string> {
    const faultyCall = this.#plan.record({ operation: 'getContainers' })
    await faultyCall.before(options.signal)
    yield* this.#inherits('getContainers') ? super.getContainers(options) : this.#inner.getContainers(options)
    faultyCall.after()
  }

  override objectModifiedAt(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<Date | undefined> {
    const call: StoreCall = { operation: 'objectModifiedAt', container, objectName }
    return this.#plan.call(call, options.signal, () =>
      this.#inner.objectModifiedAt(container, objectName, options),
    )
  }

  override objectInfo(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<ObjectInfo | undefined> {
    const call: StoreCall = { operation: 'objectInfo', container, objectName }
    return this.#plan.call(call, options.signal, () => this.#inner.objectInfo(container, objectName, options))
  }

  override removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]> {
    return this.#inner.removeTemporaries(options)
  }

  override ownsPath(path: string, options?: StoreOptions): Promise<boolean> {
    return this.#inner.ownsPath(path, options)
  }

  generateObjectNamePrefix(backup: NewBackup): string {
    return this.#inner.generateObjectNamePrefix(backup)
  }

  updateContainerName(backup: NewBackup, container: string | null): string | null {
    return this.#inner.updateContainerName(backup, container)
  }

  getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata> {
    const call: StoreCall = { operation: 'getExtraMetadata' }
    return this.#plan.call(call, undefined, () => this.#inner.getExtraMetadata(backup))
  }

  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    const call: StoreCall = { operation: 'checkForSetupError' }
    return this.#plan.call(call, options.signal, () => this.#inner.checkForSetupError(options))
  }

  override createStore(options: StoreOptions = {}): Promise<CreatedStore> {
    return this.#inner.createStore(options)
  }

  protected override async onClose(): Promise<void> {
    // A call that a fault stops for good, as a kill does, leaves its writers open; the system closes those of a process.
    for (const writer of this.#writers) await writer.abort()
    await this.#inner.close()
  }

  #inherits(hook: 'deleteObjects' | 'objectExists' | 'getContainers'): boolean {
    return this.#inner[hook] === ChunkedBackupDriver.prototype[hook]
  }
}

function defaultsOf(inner: ChunkedBackupDriver): DriverDefaults {
  const { chunkSizeBytes, blockSizeBytes, defaultContainer: container, serviceName, capabilities } = inner
  return { chunkSizeBytes, blockSizeBytes, container, serviceName, capabilities, isWrapper: true }
}

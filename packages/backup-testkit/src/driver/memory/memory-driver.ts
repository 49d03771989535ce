import {
  checkOptions,
  ChunkedBackupDriver,
  chunkedDriverShape,
  optionRules,
  storeShape,
  throwIfAborted,
} from '@stowage/backup-core'
import type {
  ChunkedDriverOptions,
  DriverCapabilities,
  ExtraMetadata,
  NewBackup,
  ObjectInfo,
  ObjectOptions,
  OptionShape,
  StoreOptions,
  WriterOptions,
} from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { MemoryObjectReader, MemoryObjectWriter } from './memory-io.js'
import { MemoryStore } from './memory-store.js'

/** Options of the memory driver. */
export interface MemoryDriverOptions extends ChunkedDriverOptions {
  /** Where the objects are. @default a new, empty store */
  readonly store?: MemoryStore
}

const memoryDriverShape: OptionShape<MemoryDriverOptions> = {
  ...chunkedDriverShape,
  store: optionRules.withMethods('a MemoryStore', ['get', 'set', 'list']),
}

const capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingWrites: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
}

/** Keeps backups in memory: for tests, and as the smallest complete backend. */
export class MemoryBackupDriver extends ChunkedBackupDriver {
  /** The driver's store, to inspect and to damage. */
  readonly store: MemoryStore

  constructor(given: MemoryDriverOptions = {}) {
    checkOptions('the options of MemoryBackupDriver', given, memoryDriverShape)
    const { store, ...options } = given
    super(options, {
      chunkSizeBytes: 52_428_800,
      blockSizeBytes: 32_768,
      container: 'volumebackups',
      serviceName: 'stowage.testkit.MemoryBackupDriver',
      capabilities,
    })
    this.store = store ?? new MemoryStore()
  }

  async putContainer(container: string, { signal }: StoreOptions): Promise<void> {
    await tick(signal)
    this.store.createContainer(container)
  }

  async *getContainerEntries(
    container: string,
    prefix: string,
    { signal }: StoreOptions,
  ): AsyncGenerator<string> {
    await tick(signal)
    for (const name of this.store.list(container, prefix)) {
      throwIfAborted(signal)
      yield name
    }
  }

  async getObjectWriter(
    container: string,
    objectName: string,
    { signal, exclusive = false }: WriterOptions,
  ): Promise<MemoryObjectWriter> {
    await tick(signal)
    return new MemoryObjectWriter(this.store, { container, objectName, exclusive }, signal)
  }

  async getObjectReader(
    container: string,
    objectName: string,
    { signal }: ObjectOptions,
  ): Promise<MemoryObjectReader> {
    await tick(signal)
    return new MemoryObjectReader(this.store, container, objectName, signal)
  }

  async deleteObject(container: string, objectName: string, { signal }: StoreOptions): Promise<void> {
    await tick(signal)
    this.store.delete(container, objectName)
  }

  override async objectExists(
    container: string,
    objectName: string,
    { signal }: StoreOptions,
  ): Promise<boolean> {
    await tick(signal)
    return this.store.get(container, objectName) !== undefined
  }

  override async objectModifiedAt(
    container: string,
    objectName: string,
    { signal }: StoreOptions,
  ): Promise<Date | undefined> {
    await tick(signal)
    return this.store.modifiedAt(container, objectName)
  }

  override async objectInfo(
    container: string,
    objectName: string,
    { signal }: StoreOptions,
  ): Promise<ObjectInfo | undefined> {
    await tick(signal)
    const bytes = this.store.get(container, objectName)
    return bytes && { lengthBytes: bytes.byteLength, md5: createHash('md5').update(bytes).digest('hex') }
  }

  override async *getContainers({ signal }: StoreOptions): AsyncGenerator<string> {
    await tick(signal)
    yield* this.store.containers()
  }

  generateObjectNamePrefix({ id, volumeId, createdAt }: NewBackup): string {
    return `volume_${volumeId}/${createdAt.toISOString().slice(0, 19).replace(/\D/g, '')}/backup_${id}`
  }

  updateContainerName(_backup: NewBackup, container: string | null): string | null {
    return container
  }

  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    await tick(options.signal)
  }
}

/** Yields to the event loop first, as every real store does: code that relies on one synchronous step fails here too. */
async function tick(signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal)
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}

import { BackupError, ChunkedBackupDriver, throwIfAborted } from '@stowage/backup-core'
import type * as core from '@stowage/backup-core'

/** The client of your store. This one could be Redis, etcd, a table of a database, or a bucket. */
export interface KeyValueClient {
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** Replaces the value at once: no reader sees a part of it. */
  set(key: string, value: Uint8Array, signal?: AbortSignal): Promise<void>
  delete(key: string, signal?: AbortSignal): Promise<void>
  keys(prefix: string, signal?: AbortSignal): AsyncIterable<string>
}

export interface KeyValueDriverOptions extends core.ChunkedDriverOptions {
  readonly client: KeyValueClient
}

export class KeyValueBackupDriver extends ChunkedBackupDriver {
  /** What is not declared is not used, and not tested. */
  readonly capabilities: core.DriverCapabilities = { maxObjectNameBytes: 512 }
  readonly #client: KeyValueClient

  constructor({ client, ...options }: KeyValueDriverOptions) {
    super(options, {
      chunkSizeBytes: 16 * 1024 * 1024,
      blockSizeBytes: 32 * 1024,
      container: 'volumebackups',
      serviceName: 'example.KeyValueBackupDriver',
    })
    this.#client = client
  }

  async putContainer(container: string, { signal }: core.StoreOptions): Promise<void> {
    await this.#client.set(containerKey(container), new Uint8Array(), signal)
  }

  async *getContainerEntries(
    container: string,
    prefix: string,
    { signal }: core.StoreOptions,
  ): AsyncGenerator<string> {
    const start = objectKey(container, '')
    for await (const key of this.#client.keys(start + prefix, signal)) yield key.slice(start.length)
  }

  async getObjectWriter(
    container: string,
    objectName: string,
    { signal }: core.ObjectOptions,
  ): Promise<core.ObjectWriter> {
    const details = { container, objectName }
    if (!(await this.#client.get(containerKey(container), signal))) {
      throw new BackupError('CONTAINER_MISSING', `There is no container "${container}".`, details)
    }
    const pieces: Uint8Array[] = []
    return {
      // The engine uses its memory again: copy what you keep.
      write: (bytes) => Promise.resolve(void pieces.push(Uint8Array.from(bytes))),
      close: () => this.#client.set(objectKey(container, objectName), Buffer.concat(pieces), signal),
      abort: () => Promise.resolve(void pieces.splice(0)),
    }
  }

  getObjectReader(
    container: string,
    objectName: string,
    options: core.ObjectOptions,
  ): Promise<core.ObjectReader> {
    const details = { container, objectName }
    const read = async ({ maxBytes = Infinity, signal }: core.ReadOptions = {}): Promise<Uint8Array> => {
      throwIfAborted(options.signal)
      const bytes = await this.#client.get(objectKey(container, objectName), signal ?? options.signal)
      if (!bytes) throw new BackupError('OBJECT_MISSING', `There is no object "${objectName}".`, details)
      if (bytes.byteLength <= maxBytes) return bytes
      throw new BackupError('OBJECT_TOO_LARGE', `"${objectName}" has ${bytes.byteLength} bytes.`, details)
    }
    return Promise.resolve({ read })
  }

  deleteObject(container: string, objectName: string, { signal }: core.StoreOptions): Promise<void> {
    return this.#client.delete(objectKey(container, objectName), signal)
  }

  generateObjectNamePrefix({ id, volumeId, createdAt }: core.NewBackup): string {
    return `volume_${volumeId}/${createdAt.toISOString()}/backup_${id}`
  }

  updateContainerName(_backup: core.NewBackup, container: string | null): string | null {
    return container
  }

  getExtraMetadata(): Promise<core.ExtraMetadata> {
    return Promise.resolve(null)
  }

  async checkForSetupError({ signal }: core.StoreOptions = {}): Promise<void> {
    await this.#client.get(containerKey('a name that need not be there'), signal)
  }
}

// A container's name is encoded, so that none can hold the slash that ends it.
const containerKey = (container: string): string => `containers/${encodeURIComponent(container)}`
const objectKey = (container: string, name: string): string =>
  `objects/${encodeURIComponent(container)}/${name}`

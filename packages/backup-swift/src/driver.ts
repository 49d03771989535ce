import {
  BackupError,
  checkOptions,
  ChunkedBackupDriver,
  storeShape,
  type ContainerOptions,
  type DeleteObjectOptions,
  type DriverCapabilities,
  type ExtraMetadata,
  type FailedDelete,
  type NewBackup,
  type ObjectOptions,
  type StoreOptions,
  type WriterOptions,
} from '@stowage/backup-core'
import type { SwiftDriverOptions } from './config/options.js'
import { resolveOptions, swiftDefaults, type ResolvedSwiftOptions } from './config/resolve-options.js'
import { connect, type Connection } from './connect.js'
import { SwiftObjectReader, SwiftObjectWriter } from './objects.js'
import type { SwiftClient } from './swift/swift-client.js'
import { maxObjectNameBytes } from './swift/names.js'

const capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingBodies: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  eventualListing: true,
  maxObjectNameBytes,
}

/** Keeps backups in OpenStack Swift, under the names and in the format of Cinder's Swift driver. */
export class SwiftBackupDriver extends ChunkedBackupDriver {
  readonly #resolved: ResolvedSwiftOptions
  readonly #connection: Connection
  #accountListed = false
  readonly #onWarning: SwiftDriverOptions['onWarning']

  /** @throws `OPTION_INVALID`. Nothing is sent yet. */
  constructor(options: SwiftDriverOptions) {
    const resolved = resolveOptions(options)
    super(resolved.engine, {
      ...swiftDefaults,
      capabilities,
      // A block size of Cinder's own is taken, whatever it is.
      blockSizeBytes: options.backupSwiftBlockSize ?? swiftDefaults.blockSizeBytes,
      serviceName: 'cinder.backup.drivers.swift.SwiftBackupDriver',
    })
    this.#resolved = resolved
    this.#connection = connect(options, resolved)
    this.#onWarning = options.onWarning
    if (resolved.connection.insecure) {
      this.#warn(
        'Certificates are not checked (backupSwiftAuthInsecure, backup_swift_auth_insecure): whoever is on the way ' +
          'can read the token and the volumes. Set backupSwiftCaCertFile instead.',
      )
    }
  }

  async putContainer(container: string, options: StoreOptions): Promise<void> {
    await this.#checkChunkSize(options)
    const { createContainers, storagePolicy, container: own } = this.#resolved
    if (container !== own) await this.#assertSearchable(container, options)
    const there = await this.#client.headContainer(container, options)
    if (there) {
      const { policy } = there
      if (
        storagePolicy !== undefined &&
        policy !== undefined &&
        policy.toLowerCase() !== storagePolicy.toLowerCase()
      ) {
        this.#warn(
          `Container ${container} has the storage policy ${policy} and keeps it, not ${storagePolicy}.`,
        )
      }
      return
    }
    if (!createContainers) {
      throw new BackupError(
        'CONTAINER_MISSING',
        `There is no container ${container}, and backupCreateContainers (backup_create_containers) is false: ` +
          'create it, or name another.',
        { container },
      )
    }
    await this.#client.putContainer(container, storagePolicy, options)
  }

  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string> {
    return this.#client.listObjects(container, prefix, options)
  }

  getObjectWriter(container: string, objectName: string, options: WriterOptions): Promise<SwiftObjectWriter> {
    const { exclusive = false, claim = false } = options
    const settle = exclusive ? { exclusive: { settleMs: claim ? this.#resolved.claimSettleMs : 0 } } : {}
    const maxFileSizeBytes = async (io: StoreOptions): Promise<number> =>
      (await this.#client.limits(io)).maxFileSizeBytes
    return Promise.resolve(
      new SwiftObjectWriter(
        this.#client,
        { container, objectName, maxFileSizeBytes, ...settle },
        signalOf(options),
      ),
    )
  }

  getObjectReader(container: string, objectName: string, options: ObjectOptions): Promise<SwiftObjectReader> {
    return Promise.resolve(new SwiftObjectReader(this.#client, container, objectName, signalOf(options)))
  }

  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void> {
    return this.#client.deleteObject(container, objectName, options)
  }

  override deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    return this.#client.deleteObjects(container, objectNames, options)
  }

  override objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    return this.#client.objectExists(container, objectName, options)
  }

  override objectModifiedAt(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<Date | undefined> {
    return this.#client.objectModifiedAt(container, objectName, options)
  }

  override async *getContainers(options: ContainerOptions): AsyncGenerator<string> {
    const { container, searchAccount } = this.#resolved
    const { everywhere: complete = false } = options
    yield container
    if (searchAccount || complete)
      yield* this.#client.listContainersWith('volume_', container, { ...signalOf(options), complete })
  }

  /** As Cinder's Swift driver names them: `volume_<id>/<time>/az_<zone>_backup_<id>`. */
  generateObjectNamePrefix(backup: NewBackup): string {
    const time = backup.createdAt
      .toISOString()
      .replace(/\.\d+Z$/, '')
      .replace(/\D/g, '')
    return `volume_${backup.volumeId}/${time}/az_${this.#resolved.availabilityZone}_backup_${backup.id}`
  }

  /**
   * As provided. One that this store does not search is refused: a delete through it would not find the incremental, and
   * remove its parent.
   */
  updateContainerName(_backup: NewBackup, container: string | null): string | null {
    const { container: own, searchAccount } = this.#resolved
    if (container === null || container === own || searchAccount) return container
    throw new BackupError(
      'OPTION_INVALID',
      `Cannot back up to container ${container}: this store is the container ${own} alone (search is "container", as for ` +
        `swift://${own}), so a delete could not see that the backup needs its parent. Leave the container out, name the ` +
        `store swift://${container}, or search the account: the store "swift:", or search: "account".`,
      { container },
    )
  }

  /** None. */
  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  /** Signs in, and looks at the account, the container and the cluster's limits. Changes nothing. */
  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    const { container, createContainers } = this.#resolved
    await this.#client.signIn(options)
    const there = await this.#client.headContainer(container, options)
    if (!there && !createContainers) {
      throw new BackupError(
        'CONTAINER_MISSING',
        `There is no container ${container}, and backupCreateContainers (backup_create_containers) is false.`,
        { container },
      )
    }
    if (!there) await this.#client.headAccount(options)
    await this.#checkChunkSize(options)
  }

  protected override async onClose(): Promise<void> {
    await this.#connection.close()
  }

  get #client(): SwiftClient {
    return this.#connection.client
  }

  /** Whoever may not list the account would not find an incremental in a container that is not the driver's own. */
  async #assertSearchable(container: string, options: StoreOptions): Promise<void> {
    if (this.#accountListed) return
    if (!(await this.#client.mayListContainers(options))) {
      throw new BackupError(
        'FORBIDDEN',
        `Cannot back up to container ${container}: this user may not list the account's containers, so that backups in ` +
          `a container other than ${this.#resolved.container} could not be found. Name the store swift://${container}, ` +
          'or let the user list the account.',
        { container },
      )
    }
    this.#accountListed = true
  }

  async #checkChunkSize(options: StoreOptions): Promise<void> {
    const { chunkSizeBytes } = this.#resolved
    const { maxFileSizeBytes } = await this.#client.limits(options)
    if (chunkSizeBytes <= maxFileSizeBytes) return
    throw new BackupError(
      'OPTION_INVALID',
      `chunkSizeBytes (backup_swift_object_size) is ${chunkSizeBytes}, and the cluster takes no object over ` +
        `${maxFileSizeBytes} bytes (max_file_size): set a smaller one.`,
    )
  }

  #warn(message: string): void {
    this.#onWarning?.({ code: 'DRIVER', message })
  }
}

function signalOf({ signal }: StoreOptions): StoreOptions {
  return signal ? { signal } : {}
}

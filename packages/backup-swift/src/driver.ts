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
  type ObjectInfo,
  type ObjectOptions,
  type StoreOptions,
  type WriterOptions,
} from '@stowage/backup-core'
import { zonedObjectNamePrefix } from '@stowage/cinder-conf'
import { cinderOptions, type SwiftDriverOptions } from './config/options.js'
import { resolveOptions, type ResolvedSwiftOptions } from './config/resolve-options.js'
import { connect } from './connect.js'
import { SwiftObjectReader, SwiftObjectWriter } from './objects.js'
import {
  deleteObject,
  objectExists,
  objectInfo,
  type ObjectAddress,
  type ObjectServer,
  type ObjectWriterOptions,
} from '@stowage/http'
import { ClusterInfo, headAccount, headContainer, putContainer } from './swift/account.js'
import { listContainersWith, listObjects, mayListContainers } from './swift/containers.js'
import { deleteObjects } from './swift/delete-objects.js'
import { maxObjectNameBytes } from './swift/names.js'
import { objectModifiedAt, swiftObjects } from './swift/swift-objects.js'
import type { SwiftTransport } from './swift/transport.js'

const capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingBodies: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
  eventualListing: true,
  maxObjectNameBytes,
}

/** Stores backups in OpenStack Swift, with the names and in the format of Cinder's Swift driver. */
export class SwiftBackupDriver extends ChunkedBackupDriver {
  readonly #resolved: ResolvedSwiftOptions
  readonly #transport: SwiftTransport
  readonly #objects: ObjectServer
  readonly #cluster: ClusterInfo
  #accountListed = false

  /** @throws `OPTION_INVALID`. Sends no request. */
  constructor(options: SwiftDriverOptions) {
    const resolved = resolveOptions(options)
    super(resolved.engine, {
      container: resolved.container,
      chunkSizeBytes: cinderOptions.backupSwiftObjectSize.default,
      // A value of Cinder's flag is accepted even if it is not a power of two.
      blockSizeBytes: resolved.backupSwiftBlockSize,
      capabilities,
      serviceName: 'cinder.backup.drivers.swift.SwiftBackupDriver',
    })
    this.#resolved = resolved
    this.#transport = connect(options, resolved)
    this.#objects = swiftObjects(this.#transport)
    this.#cluster = new ClusterInfo(this.#transport)
    if (resolved.connection.insecure) {
      this.warn(
        'Certificates are not verified (backupSwiftAuthInsecure, backup_swift_auth_insecure), so an attacker on the network ' +
          'can read the token and the volumes. Set backupSwiftCaCertFile instead.',
      )
    }
  }

  async putContainer(container: string, options: StoreOptions): Promise<void> {
    await this.#checkChunkSize(options)
    const { backupCreateContainers, backupSwiftCreateStoragePolicy: storagePolicy } = this.#resolved
    if (container !== this.#resolved.container) await this.#assertSearchable(container, options)
    const existing = await headContainer(this.#transport, container, options)
    if (existing) {
      const { policy } = existing
      if (
        storagePolicy !== undefined &&
        policy !== undefined &&
        policy.toLowerCase() !== storagePolicy.toLowerCase()
      ) {
        this.warn(
          `Container ${container} exists and keeps its storage policy ${policy} instead of ${storagePolicy}.`,
        )
      }
      return
    }
    if (!backupCreateContainers) throw containerMissing(container)
    await putContainer(this.#transport, container, storagePolicy, options)
  }

  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string> {
    return listObjects(this.#transport, container, prefix, options)
  }

  getObjectWriter(container: string, objectName: string, options: WriterOptions): Promise<SwiftObjectWriter> {
    const { exclusive = false, claim = false, signal } = options
    const object = { container, objectName }
    const writing: ObjectWriterOptions = {
      ...signalOf(options),
      ...(exclusive ? { exclusive: { settleMs: claim ? this.#resolved.claimSettleSeconds * 1000 : 0 } } : {}),
      checkSize: async (lengthBytes) => {
        const { maxFileSizeBytes } = await this.#cluster.limits(signal ? { signal } : {})
        if (lengthBytes > maxFileSizeBytes) throw tooLarge(object, lengthBytes, maxFileSizeBytes)
      },
    }
    return Promise.resolve(new SwiftObjectWriter(this.#objects, object, writing))
  }

  getObjectReader(container: string, objectName: string, options: ObjectOptions): Promise<SwiftObjectReader> {
    return Promise.resolve(new SwiftObjectReader(this.#objects, { container, objectName }, signalOf(options)))
  }

  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void> {
    return deleteObject(this.#objects, { container, objectName }, options)
  }

  override deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    const maxDeletes = async (): Promise<number> => (await this.#cluster.limits(options)).maxDeletesPerRequest
    return deleteObjects(this.#transport, container, objectNames, maxDeletes, options)
  }

  override objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    return objectExists(this.#objects, { container, objectName }, options)
  }

  override objectModifiedAt(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<Date | undefined> {
    return objectModifiedAt(this.#objects, { container, objectName }, options)
  }

  override objectInfo(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<ObjectInfo | undefined> {
    return objectInfo(this.#objects, { container, objectName }, options)
  }

  override async *getContainers(options: ContainerOptions): AsyncGenerator<string> {
    const { container, search } = this.#resolved
    const { everywhere: complete = false } = options
    yield container
    if (search === 'account' || complete)
      yield* listContainersWith(this.#transport, 'volume_', container, { ...signalOf(options), complete })
  }

  /** Returns a prefix as Cinder's Swift driver does: `volume_<id>/<time>/az_<zone>_backup_<id>`. */
  generateObjectNamePrefix(backup: NewBackup): string {
    return zonedObjectNamePrefix(backup, this.#resolved.storageAvailabilityZone)
  }

  /**
   * Returns the container unchanged. Refuses one that this store does not search: a delete would not find an incremental
   * there, and would remove its parent.
   */
  updateContainerName(_backup: NewBackup, container: string | null): string | null {
    const { container: own, search } = this.#resolved
    if (container === null || container === own || search === 'account') return container
    throw new BackupError(
      'OPTION_INVALID',
      `Cannot back up to container ${container}: this store consists of the container ${own} only (search is "container", as ` +
        `for swift://${own}), so a delete could not find the backup, and would remove its parent. Omit the container, use ` +
        `the store swift://${container}, or search the account with the store "swift:" or search: "account".`,
      { container },
    )
  }

  /** Returns null: there is none. */
  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  /** Signs in, and checks the account, the container and the limits of the cluster. Changes nothing. */
  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    const { container, backupCreateContainers } = this.#resolved
    await this.#transport.signIn(options.signal)
    const exists = await headContainer(this.#transport, container, options)
    if (!exists && !backupCreateContainers) throw containerMissing(container)
    if (!exists) await headAccount(this.#transport, options)
    await this.#checkChunkSize(options)
  }

  protected override async onClose(): Promise<void> {
    await this.#transport.close()
  }

  /** Without access to the account, an incremental in a container other than the driver's own would not be found. */
  async #assertSearchable(container: string, options: StoreOptions): Promise<void> {
    if (this.#accountListed) return
    if (!(await mayListContainers(this.#transport, options))) {
      throw new BackupError(
        'FORBIDDEN',
        `Cannot back up to container ${container}: this user has no permission to list the containers of the account, so ` +
          `backups outside of ${this.#resolved.container} could not be found. Use the store swift://${container}, or grant ` +
          'the user access to the account.',
        { container },
      )
    }
    this.#accountListed = true
  }

  async #checkChunkSize(options: StoreOptions): Promise<void> {
    const { chunkSizeBytes } = this.#resolved
    const { maxFileSizeBytes } = await this.#cluster.limits(options)
    if (chunkSizeBytes <= maxFileSizeBytes) return
    throw new BackupError(
      'OPTION_INVALID',
      `chunkSizeBytes (backup_swift_object_size) is ${chunkSizeBytes}, and the limit of the cluster is ` +
        `${maxFileSizeBytes} (max_file_size): set a smaller chunk size.`,
    )
  }
}

function tooLarge(object: ObjectAddress, lengthBytes: number, limitBytes: number): BackupError {
  return new BackupError(
    'OBJECT_TOO_LARGE',
    `Storing object ${object.objectName} failed: it has ${lengthBytes} bytes, and the limit of the cluster is ${limitBytes} ` +
      '(max_file_size). Set a smaller chunkSizeBytes (backup_swift_object_size), or, if it is the hash list, a larger ' +
      'blockSizeBytes.',
    { ...object },
  )
}

function containerMissing(container: string): BackupError {
  return new BackupError(
    'CONTAINER_MISSING',
    `The container ${container} does not exist, and backupCreateContainers (backup_create_containers) is false: create it, ` +
      'or use another.',
    { container },
  )
}

function signalOf({ signal }: StoreOptions): StoreOptions {
  return signal ? { signal } : {}
}

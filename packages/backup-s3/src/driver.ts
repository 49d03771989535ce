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
  type RemoveTemporariesOptions,
  type StoreOptions,
  type TemporaryObject,
  type WriterOptions,
} from '@stowage/backup-core'
import { zonedObjectNamePrefix } from '@stowage/cinder-conf'
import {
  deleteObject,
  objectExists,
  objectInfo,
  objectModifiedAt,
  putObject,
  type ObjectServer,
  type ObjectWriterOptions,
} from '@stowage/http'
import { cinderOptions, type S3DriverOptions } from './config/options.js'
import { resolveOptions, type ResolvedS3Options } from './config/resolve-options.js'
import { connect } from './connect.js'
import { S3ObjectReader, S3ObjectWriter } from './objects.js'
import { bucketExists, createBucket, listBucketsWith } from './s3/buckets.js'
import { deleteObjects } from './s3/delete-objects.js'
import { listObjects } from './s3/list-objects.js'
import { putInParts } from './s3/multipart.js'
import { checkBucketName, maxObjectNameBytes } from './s3/names.js'
import { s3Objects } from './s3/s3-objects.js'
import type { S3Transport } from './s3/transport.js'
import { removeOldUploads } from './s3/uploads.js'

/** What the names of all data objects begin with. */
const dataPrefix = 'volume_'

const capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingBodies: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
  temporaryObjects: true,
  // Amazon S3 lists what was stored; what speaks S3 in front of another store, such as Swift's s3api, need not.
  eventualListing: true,
  maxObjectNameBytes,
}

/** Stores backups in S3, with the names and in the format of Cinder's S3 driver. A container is a bucket. */
export class S3BackupDriver extends ChunkedBackupDriver {
  readonly #resolved: ResolvedS3Options
  readonly #transport: S3Transport
  readonly #objects: ObjectServer

  /** @throws `OPTION_INVALID`. Sends no request. */
  constructor(options: S3DriverOptions) {
    const resolved = resolveOptions(options)
    const { filled } = resolved
    super(resolved.engine, {
      container: resolved.container,
      chunkSizeBytes: cinderOptions.backupS3ObjectSize.default,
      // A value of Cinder's flag is accepted even if it is not a power of two.
      blockSizeBytes: filled.backupS3BlockSize,
      capabilities: { ...capabilities, exclusiveCreate: filled.conditionalPut },
      serviceName: 'cinder.backup.drivers.s3.S3BackupDriver',
    })
    this.#resolved = resolved
    this.#transport = connect(options, resolved)
    this.#objects = s3Objects(this.#transport, {
      encryption: resolved.encryption,
      warn: (message) => {
        this.warn(message)
      },
    })
    if (!filled.backupS3VerifySsl) {
      this.warn(
        'Certificates are not verified (backupS3VerifySsl, backup_s3_verify_ssl), so an attacker on the network can read the ' +
          'volumes. Set backupS3CaCertFile instead.',
      )
    }
  }

  async putContainer(container: string, options: StoreOptions): Promise<void> {
    checkBucketName(container)
    if (await bucketExists(this.#transport, container, options)) return
    const { backupCreateContainers, bucketRegion } = this.#resolved.filled
    if (!backupCreateContainers) throw bucketMissing(container)
    const { region } = this.#resolved.endpoint
    await createBucket(this.#transport, container, bucketRegion ?? region, options)
  }

  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string> {
    return listObjects(this.#transport, container, prefix, options)
  }

  getObjectWriter(container: string, objectName: string, options: WriterOptions): Promise<S3ObjectWriter> {
    const { encryption, filled } = this.#resolved
    const parts = { transport: this.#transport, objects: this.#objects, encryption }
    const writing: ObjectWriterOptions = {
      ...signalOf(options),
      // A bucket locks a name: a condition is checked when the object is stored.
      ...(options.exclusive ? { exclusive: { settleMs: 0 } } : {}),
      store: (object, state, signal) =>
        object.body.lengthBytes > filled.multipartThresholdBytes
          ? putInParts(parts, object, state, signal)
          : putObject(this.#objects, object, state, signal),
    }
    return Promise.resolve(new S3ObjectWriter(this.#objects, { container, objectName }, writing))
  }

  getObjectReader(container: string, objectName: string, options: ObjectOptions): Promise<S3ObjectReader> {
    return Promise.resolve(new S3ObjectReader(this.#objects, { container, objectName }, signalOf(options)))
  }

  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void> {
    return deleteObject(this.#objects, { container, objectName }, options)
  }

  override deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    return deleteObjects(this.#transport, this.#objects, container, objectNames, options)
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
    const { container, filled } = this.#resolved
    const { everywhere = false, only } = options
    yield container
    if (only !== undefined && only === container) return
    if (filled.search === 'account' || everywhere) {
      const isAccount = filled.search === 'account'
      // Keys for one bucket need not be able to list any other.
      const probe = { ...signalOf(options), complete: everywhere && isAccount, unreadable: isAccount }
      yield* listBucketsWith(this.#transport, dataPrefix, container, probe)
    }
  }

  override async removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]> {
    const removed: TemporaryObject[] = []
    for await (const container of this.getContainers(signalOf(options)))
      removed.push(...(await removeOldUploads(this.#transport, container, dataPrefix, options)))
    return removed
  }

  /** Returns a prefix as Cinder's S3 driver does: `volume_<id>/<time>/az_<zone>_backup_<id>`. */
  generateObjectNamePrefix(backup: NewBackup): string {
    return zonedObjectNamePrefix(backup, this.#resolved.filled.storageAvailabilityZone)
  }

  /** Returns the container unchanged. Refuses one that this store does not search. */
  updateContainerName(_backup: NewBackup, container: string | null): string | null {
    const { container: own, filled } = this.#resolved
    if (container === null || container === own || filled.search === 'account') return container
    throw new BackupError(
      'OPTION_INVALID',
      `Cannot back up to bucket ${container}: this store consists of the bucket ${own} only (search is "container", as for ` +
        `s3://${own}), so a delete could not find the backup, and would remove its parent. Omit the container, use the store ` +
        `s3://${container}, or search all buckets with the store "s3:" or search: "account".`,
      { container },
    )
  }

  /** Returns null: there is none. */
  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  /**
   * Checks the keys and the bucket, by a HEAD and a listing of it: keys for one bucket may do no more. Changes nothing.
   */
  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    const { container, filled } = this.#resolved
    const exists = await bucketExists(this.#transport, container, options)
    if (!exists && !filled.backupCreateContainers) throw bucketMissing(container)
    // A HEAD has no body: its refusal says nothing of the reason, such as the clock or the region.
    for await (const name of listObjects(this.#transport, container, dataPrefix, options)) if (name) break
  }

  protected override async onClose(): Promise<void> {
    await this.#transport.close()
  }
}

function bucketMissing(container: string): BackupError {
  return new BackupError(
    'CONTAINER_MISSING',
    `The bucket ${container} does not exist, and backupCreateContainers (backup_create_containers) is false: create it, or use ` +
      'another.',
    { container },
  )
}

function signalOf({ signal }: StoreOptions): StoreOptions {
  return signal ? { signal } : {}
}

import {
  isBackupError,
  type DeleteObjectOptions,
  type FailedDelete,
  type ReadOptions,
  type StoreOptions,
} from '@stowage/backup-core'
import { discard } from '../http/bodies.js'
import type { RetryPolicy } from '../http/retry.js'
import { getClusterLimits, type ClusterLimits } from './cluster-limits.js'
import { deleteObject, deleteObjects } from './delete-objects.js'
import { getObject } from './get-object.js'
import {
  getRange,
  streamObject,
  type ObjectRange,
  type RangeAnswer,
  type RangeOptions,
} from './stream-object.js'
import {
  listContainers,
  listContainersWith,
  listObjects,
  mayListContainers,
  type ContainerSearchOptions,
  type ListingPages,
} from './containers.js'
import { containerPath } from './names.js'
import { putObject, type NewObject, type PutState } from './put-object.js'
import { objectExists, objectModifiedAt, ownerOf, type ObjectOwner } from './object-state.js'
import type { SwiftTransport } from './transport.js'

/** The verbs of Swift's API that backups need. Knows HTTP and Swift, and nothing of backups. */
export class SwiftClient {
  readonly #transport: SwiftTransport
  #limits: Promise<ClusterLimits> | undefined

  constructor(transport: SwiftTransport) {
    this.#transport = transport
  }

  /** Signs in, if that was not done yet, and returns the account's URL. */
  async signIn({ signal }: StoreOptions = {}): Promise<string> {
    return (await this.#transport.signIn(signal)).storageUrl
  }

  /** The cluster's limits, asked for once. */
  async limits(options: StoreOptions = {}): Promise<ClusterLimits> {
    for (;;) {
      const limits = (this.#limits ??= getClusterLimits(this.#transport, options))
      try {
        return await limits
      } catch (error) {
        if (this.#limits === limits) this.#limits = undefined
        // The one who asked first may have been aborted: that is no reason for the others.
        if (!isBackupError(error, 'ABORTED') || options.signal?.aborted) throw error
      }
    }
  }

  /** Asks for the account; rejects with `FORBIDDEN` where it is not ours. */
  async headAccount({ signal }: StoreOptions = {}): Promise<void> {
    await this.#transport.send(
      {
        method: 'HEAD',
        path: '',
        what: 'Looking at the account',
        accept: (status) => status === 204 || status === 200,
        sink: discard,
      },
      signal,
    )
  }

  /** The storage policy of a container; undefined where there is no such container. */
  async headContainer(
    container: string,
    { signal }: StoreOptions = {},
  ): Promise<{ readonly policy: string | undefined } | undefined> {
    const { head } = await this.#transport.send(
      {
        method: 'HEAD',
        path: containerPath(container),
        what: `Looking at container ${container}`,
        details: { container },
        accept: (status) => status === 204 || status === 200 || status === 404,
        sink: discard,
      },
      signal,
    )
    if (head.status === 404) return undefined
    const policy = head.headers['x-storage-policy']
    return { policy: typeof policy === 'string' ? policy : undefined }
  }

  /** Creates a container; one that is there stays as it is. */
  async putContainer(
    container: string,
    policy: string | undefined,
    { signal }: StoreOptions = {},
  ): Promise<void> {
    await this.#transport.send(
      {
        method: 'PUT',
        path: containerPath(container),
        headers: policy === undefined ? {} : { 'x-storage-policy': policy },
        what: `Creating container ${container}`,
        details: { container },
        accept: (status) => status === 201 || status === 202 || status === 204,
        sink: discard,
        refusal: (status) =>
          status === 400 && policy !== undefined
            ? {
                code: 'OPTION_INVALID',
                message: `Container ${container} cannot be created: the cluster has no storage policy ${policy} (backupSwiftCreateStoragePolicy).`,
              }
            : status === 409
              ? { code: 'CONFLICT', message: `Container ${container} is there with another storage policy.` }
              : undefined,
      },
      signal,
    )
  }

  /** The names of the account's containers. */
  listContainers(options: StoreOptions = {}): AsyncGenerator<string> {
    return listContainers(this.#transport, options)
  }

  /** Whether the user may list the account's containers. */
  mayListContainers(options: StoreOptions = {}): Promise<boolean> {
    return mayListContainers(this.#transport, options)
  }

  /** The names of the containers that hold such objects: see {@link listContainersWith}. */
  listContainersWith(
    prefix: string,
    except: string,
    options: ContainerSearchOptions = {},
  ): AsyncGenerator<string> {
    return listContainersWith(this.#transport, prefix, except, options)
  }

  /** The names of a container's objects that begin with `prefix`: see {@link listObjects}. */
  listObjects(
    container: string,
    prefix: string,
    options: StoreOptions = {},
    pages: ListingPages = {},
  ): AsyncGenerator<string> {
    return listObjects(this.#transport, container, prefix, options, pages)
  }

  /** Stores an object: see {@link putObject}. */
  putObject(object: NewObject, state: PutState, { signal }: StoreOptions = {}): Promise<void> {
    return putObject(this.#transport, object, state, signal)
  }

  /** Which writer stored an object: see {@link ownerOf}. */
  ownerOf(
    object: { readonly container: string; readonly objectName: string },
    writerId: string,
    { signal }: StoreOptions = {},
    policy?: Partial<RetryPolicy>,
  ): Promise<ObjectOwner> {
    return this.#transport.retrying(
      `Asking which writer stored object ${object.objectName}`,
      () => ownerOf(this.#transport, object, writerId, signal),
      signal,
      policy,
    )
  }

  /** Reads an object whole: see {@link getObject}. */
  getObject(container: string, objectName: string, options?: ReadOptions): Promise<Uint8Array> {
    return getObject(this.#transport, container, objectName, options)
  }

  /** Reads a part of an object: see {@link getRange}. */
  getRange(
    container: string,
    objectName: string,
    range: ObjectRange,
    options?: RangeOptions,
  ): Promise<RangeAnswer> {
    return getRange(this.#transport, container, objectName, range, options)
  }

  /** Reads an object in pieces: see {@link streamObject}. */
  streamObject(container: string, objectName: string, options?: StoreOptions): AsyncGenerator<Uint8Array> {
    return streamObject(this.#transport, container, objectName, options)
  }

  /** Whether the object is there: see {@link objectExists}. */
  objectExists(container: string, objectName: string, options?: StoreOptions): Promise<boolean> {
    return objectExists(this.#transport, container, objectName, options)
  }

  /** When the object was stored: see {@link objectModifiedAt}. */
  objectModifiedAt(container: string, objectName: string, options?: StoreOptions): Promise<Date | undefined> {
    return objectModifiedAt(this.#transport, container, objectName, options)
  }

  /** Deletes an object; one that is not there is deleted. See {@link deleteObject}. */
  deleteObject(
    container: string,
    objectName: string,
    options?: DeleteObjectOptions,
    policy?: Partial<RetryPolicy>,
  ): Promise<void> {
    return deleteObject(this.#transport, container, objectName, options, policy)
  }

  /** Deletes objects, in bulk where the cluster can, and returns those that could not be deleted. */
  deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions = {},
  ): Promise<FailedDelete[]> {
    const maxDeletes = async (): Promise<number> => (await this.limits(options)).maxDeletesPerRequest
    return deleteObjects(this.#transport, container, objectNames, maxDeletes, options)
  }
}

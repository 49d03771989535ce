import type { DriverCapabilities } from './capabilities.js'
import type { DeleteObjectOptions, ObjectReader, ObjectWriter, StoreOptions } from './object-io.js'
import type { ExtraMetadata, NewBackup } from './types.js'

/** Options of opening an object. */
export interface ObjectOptions extends StoreOptions {
  /** What the driver itself returned from `getExtraMetadata` when the backup was made. */
  readonly extraMetadata: ExtraMetadata
}

/** Options of opening a writer. */
export interface WriterOptions extends ObjectOptions {
  /**
   * Creates the object only if no object has its name. If one has, `close` rejects with `CONFLICT` and leaves that object
   * unchanged. Passed only to drivers that declare `exclusiveCreate`. @default false: an existing object is replaced
   */
  readonly exclusive?: boolean
  /**
   * With `exclusive`, for an object that keeps concurrent runs apart, and so guards all others of a run: `close` resolves
   * only when no writer that began before can still replace the object. Takes a second or two on a store that cannot
   * lock a name, as Swift: not for every object of a backup. @default false
   */
  readonly claim?: boolean
}

/** Options of listing the containers. */
export interface ContainerOptions extends StoreOptions {
  /**
   * Names also containers that the driver does not search otherwise, and in which another driver may have put an
   * incremental of a backup that is about to be deleted. Rejects where it cannot name them all, with `FORBIDDEN` or
   * `STORE_FAILED`: the delete is then refused, unless `force` is set. @default false
   */
  readonly everywhere?: boolean
  /** The one that is asked for, where it is named at all: a driver may leave out all others. */
  readonly only?: string
}

/** An object that `deleteObjects` could not delete. */
export interface FailedDelete {
  readonly objectName: string
  readonly error: unknown
}

/** What a writer of a killed program left, which no listing shows. */
export interface TemporaryObject {
  /** Empty where it belongs to the store itself. */
  readonly container: string
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedAt: Date
}

/** Options of {@link ObjectStore.removeTemporaries}. */
export interface RemoveTemporariesOptions extends StoreOptions {
  /** Leaves younger ones: a running program may be writing them. */
  readonly olderThan: Date
  /** Removes nothing. @default false */
  readonly dryRun?: boolean
}

/**
 * What the engine asks of a store: the hooks of a backend. Their names are Cinder's, in camelCase.
 *
 * The engine always passes every argument, validated: object names are the backup's prefix and a suffix, without
 * NUL, `..`, or a leading `/`. Every hook may be called concurrently with every other. Failures are
 * {@link BackupError}s with the codes named here; `errorMapper` makes them of a client's errors. Whatever else a hook
 * throws or rejects with becomes `STORE_FAILED`, with it as the `cause`. Retries are the backend's own affair: to the
 * engine a rejection is final.
 *
 * An aborted signal ends a call with `ABORTED`. The web's own way counts as the same, once the signal that the call was
 * passed has been aborted: the signal's reason, as `signal.throwIfAborted()` throws it, or an error named `AbortError`.
 */
export interface ObjectStore {
  readonly capabilities: DriverCapabilities

  /** Creates the container where it is not there yet. Idempotent: an existing one is success. */
  putContainer(container: string, options: StoreOptions): Promise<void>

  /**
   * Every object name in the container that begins with `prefix`, in any order, to the last page. An object whose
   * writer has closed is listed (unless `eventualListing` is declared), one that is still being written is not.
   * A container that does not exist lists as empty. One that exists must not: where the store contradicts itself, reject
   * with `STORE_FAILED`, since a delete would take the empty listing for a container without incrementals.
   */
  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string>

  /** A writer for a new object. Rejects with `CONTAINER_MISSING`, here or at close, when the container is not there. */
  getObjectWriter(container: string, objectName: string, options: WriterOptions): Promise<ObjectWriter>

  /** A reader for an object. Rejects with `OBJECT_MISSING`, here or at the first read, when it is not there. */
  getObjectReader(container: string, objectName: string, options: ObjectOptions): Promise<ObjectReader>

  /** Deletes an object. Idempotent: success means that it is gone, also when it never was there. */
  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void>

  /** Deletes many objects and returns the ones that it could not delete. */
  deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]>

  /** Whether the object is there now. */
  objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean>

  /**
   * What all object names of a new backup begin with. Must contain the backup's id, so that it is unique, and not
   * begin with another backup's prefix and `-` or `_`.
   */
  generateObjectNamePrefix(backup: NewBackup): string

  /** The container to use instead of the one asked for; null when the driver has no wish. */
  updateContainerName(backup: NewBackup, container: string | null): string | null

  /** What the driver wants to be handed with each object of this backup, kept in `_metadata`; null for nothing. */
  getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata>

  /**
   * Whether a file of this machine is in the store, by the path that a caller gave for it; the file need not exist. A
   * restore refuses such a target: it would overwrite backups. @default no file is
   */
  ownsPath?(path: string, options?: StoreOptions): Promise<boolean>

  /**
   * Every container that the driver searches for backups. One that cannot be listed is named too: where its listing
   * rejects with `FORBIDDEN` or `NOT_A_FILE`, a list of backups leaves it out with a warning, and keeps the others.
   */
  getContainers(options: ContainerOptions): AsyncIterable<string>

  /**
   * When an object was last written, by the store's clock; undefined where there is none. Absent where the store does not
   * tell: orphans are then only reported.
   */
  objectModifiedAt?(container: string, objectName: string, options: StoreOptions): Promise<Date | undefined>

  /** Finds and removes what writers of killed programs left. Absent where a store keeps nothing of the kind. */
  removeTemporaries?(options: RemoveTemporariesOptions): Promise<TemporaryObject[]>
}

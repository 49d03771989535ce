import type { ByteProgressListener } from './progress.js'
import type { ExtraMetadata, NewBackup } from './records.js'

/**
 * The optional features of a backend. The engine uses only those that are declared, and the conformance
 * suite tests them. A method without its capability, and a capability without its method, are rejected with `OPTION_INVALID`:
 * those of the driver when it is constructed, those of readers and writers when they are opened.
 */
export interface DriverCapabilities {
  /** Readers have `stream`: an object need not be held in memory. @default false */
  readonly streamingReads?: boolean
  /** Readers have `readRange`. @default false */
  readonly rangedReads?: boolean
  /** Writers take any number of `write` calls without holding the object in memory. @default false */
  readonly streamingWrites?: boolean
  /**
   * Writers have `writeFrom`, which produces the body while it is sent, once for each attempt: an object need not be held
   * in memory. @default false
   */
  readonly streamingBodies?: boolean
  /**
   * Writers honour `exclusive`: an object that exists is never replaced. Of several writers that create the same object
   * concurrently with `claim`, at most one `close` resolves, and the object is that writer's; without `claim`, only
   * where the store can lock a name. @default false
   */
  readonly exclusiveCreate?: boolean
  /** The driver overrides `getContainers`, which lists every container that may hold backups. @default false */
  readonly containerListing?: boolean
  /** A listing may lag behind the objects: the engine uses it only to find more objects. @default false */
  readonly eventualListing?: boolean
  /** The driver overrides `objectModifiedAt`. @default false: orphans are reported, but not removed */
  readonly modificationTimes?: boolean
  /** The driver overrides `objectInfo`. @default false: a copy that is resumed reads what it stored before, to compare it */
  readonly objectInfo?: boolean
  /** The driver overrides `removeTemporaries`: killed writers leave files that no listing includes. @default false */
  readonly temporaryObjects?: boolean
  /** The driver overrides `ownsPath`: the store is a directory of this machine. @default false */
  readonly localFiles?: boolean
  /** Maximum length of an object name, in bytes of UTF-8. Longer names are rejected before a backup begins. @default 1024 */
  readonly maxObjectNameBytes?: number
}

/** Options of an operation on a store. */
export interface StoreOptions {
  /**
   * Ends the operation with `ABORTED`, or equivalently with the signal's reason or an `AbortError`; no request, handle or
   * timer outlives it.
   */
  readonly signal?: AbortSignal
}

/** Options of {@link ObjectStore.deleteObject}. */
export interface DeleteObjectOptions extends StoreOptions {
  /**
   * Called when a request is retried after it was cut off or timed out without a response: a proxy may have buffered it, and
   * delete the object once more, later. A store that sends no requests does not call it.
   */
  readonly onUnanswered?: () => void
}

/** Options of {@link ObjectReader.read}. */
export interface ReadOptions extends StoreOptions {
  /** The maximum number of bytes that the caller accepts. A longer object rejects with `OBJECT_TOO_LARGE`, unread. */
  readonly maxBytes?: number
  /** A buffer that the reader may fill and return a view of, where the object fits, instead of new memory. */
  readonly buffer?: Uint8Array
  /**
   * The caller verifies the bytes against its own MD5. A reader that would compute the MD5 only to compare it with the
   * store's may skip that. @default false
   */
  readonly checkedByCaller?: boolean
  /** Called with how many of the object's bytes have been received. A reader that cannot report it does not call it. */
  readonly onProgress?: ByteProgressListener
}

/**
 * Reads one stored object. Every method rejects with `OBJECT_MISSING` when the object does not exist, and with
 * `OBJECT_CORRUPT` when the store detects that it returned fewer or other bytes than were stored.
 */
export interface ObjectReader {
  /** Returns the whole object, as stored. */
  read(options?: ReadOptions): Promise<Uint8Array>

  /**
   * Yields the object in pieces of a size that suits the store, for objects that are not held in memory whole. Required if
   * and only if the driver declares `streamingReads`. A piece is valid until the next one is requested.
   */
  stream?(options?: StoreOptions): AsyncIterable<Uint8Array>

  /**
   * Returns exactly `lengthBytes` bytes from `offsetBytes` of the stored object; fewer only where the object ends. Required
   * if and only if the driver declares `rangedReads`.
   */
  readRange?(offsetBytes: number, lengthBytes: number, options?: ReadOptions): Promise<Uint8Array>

  /** Frees the reader's resources. Always called, once, also after a failure. */
  close?(): Promise<void>
}

/** A body that can be produced again from the start, so that a failed request can be retried without holding it in memory. */
export interface ReplayableBody {
  /** Its exact length. */
  readonly lengthBytes: number
  /**
   * Returns its MD5 in lower-case hex, which is known already or computed off the main thread. For stores that send or
   * check the MD5; without this method, the store computes it from the pieces of {@link stream}.
   */
  md5?(): Promise<string>

  /**
   * Returns the MD5 of the last {@link stream} once it has yielded its last piece; undefined before. Replaces
   * {@link md5} for a body that is read from the source while it is sent, and may differ the next time: the store sends no
   * MD5 in advance, and compares this one with the MD5 of what it received.
   */
  md5OfStream?(): Promise<string | undefined>

  /**
   * Produces the body from the start. The next stream ends the previous one. A piece is valid until the next one is
   * requested.
   */
  stream(): AsyncIterable<Uint8Array>
}

/**
 * Writes one object. **Nothing is visible under its name before {@link close} resolves, and all of it is after**;
 * an object of the same name is replaced. A process that dies in between leaves nothing under the name.
 */
export interface ObjectWriter {
  /** Adds bytes. The writer does not keep them after the promise resolves, unless it has copied them. */
  write(bytes: Uint8Array): Promise<void>

  /**
   * Writes the whole object from a body that can be repeated. Required if and only if the driver declares `streamingBodies`;
   * then the engine calls it instead of `write`. The body can be produced until `close` or `abort` has resolved, so a writer
   * may wait for `close` to send it.
   */
  writeFrom?(body: ReplayableBody): Promise<void>

  /** Makes the object visible, durably. Rejects when it is not certain that it is stored. */
  close(): Promise<void>

  /** Discards the written bytes. Called instead of `close` after a failure, also of `close` itself. Never rejects. */
  abort(): Promise<void>
}

/** Options of opening an object. */
export interface ObjectOptions extends StoreOptions {
  /** For a data object, what `getExtraMetadata` returned when the backup was made; null for every other object. */
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
   * With `exclusive`, for an object that guards all others of a run against concurrent runs: `close` resolves only when no
   * writer that began before can still replace the object. Takes a second or two on a store that cannot lock a name, such
   * as Swift, so it is not set for every object of a backup. @default false
   */
  readonly claim?: boolean
}

/** Options of listing the containers. */
export interface ContainerOptions extends StoreOptions {
  /**
   * Includes containers that the driver does not search otherwise, in which another driver may have stored an incremental
   * of a backup that is about to be deleted. Rejects with `FORBIDDEN` or `STORE_FAILED` if it cannot list all of them: the
   * delete is then rejected, unless `force` is set. @default false
   */
  readonly everywhere?: boolean
  /** The only container of interest: a driver may omit all others. */
  readonly only?: string
}

/** An object that `deleteObjects` could not delete. */
export interface FailedDelete {
  readonly objectName: string
  readonly error: unknown
}

/** What a store reports of an object without reading it. */
export interface ObjectInfo {
  /** The length of the stored object. */
  readonly lengthBytes: number
  /** The MD5 of the stored bytes in lower-case hex. Left out where the store does not keep one. */
  readonly md5?: string
}

/** A file of a killed writer, which no listing includes. */
export interface TemporaryObject {
  /** Empty if the file belongs to the store itself. */
  readonly container: string
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedAt: Date
}

/** Options of {@link ObjectStore.removeTemporaries}. */
export interface RemoveTemporariesOptions extends StoreOptions {
  /** Keeps newer files: a running program may be writing them. */
  readonly olderThan: Date
  /** Removes nothing. @default false */
  readonly dryRun?: boolean
}

/**
 * A store as the engine uses it: the hooks of a backend. The mandatory ones have Cinder's names, in camelCase.
 *
 * The engine passes every argument, and has validated it: an object name has no NUL, no empty segment, no `.` or `..`.
 * Treat it as opaque. Most names are a backup's prefix and a suffix; claims (`stowage-claim_…`) and delete markers
 * (`stowage-deleting_…`) are stored through the same hooks and have no prefix (`docs/format.md` lists all names).
 *
 * Every hook may be called concurrently with every other. Failures are {@link BackupError}s with the codes named here;
 * `errorMapper` maps a client's errors to them. Any other error of a hook becomes `STORE_FAILED`, with it as the `cause`.
 * Retries are the backend's responsibility: to the engine a rejection is final.
 *
 * An aborted signal ends a call with `ABORTED`. Once the signal that was passed has been aborted, these are equivalent:
 * the signal's reason, as `signal.throwIfAborted()` throws it, or an error named `AbortError`.
 */
export interface ObjectStore {
  readonly capabilities: DriverCapabilities

  /** Creates the container if it does not exist. Idempotent: an existing one is success. */
  putContainer(container: string, options: StoreOptions): Promise<void>

  /**
   * Yields every object name in the container that begins with `prefix`, of all pages, in any order. Includes each object
   * whose writer has closed (unless `eventualListing` is declared), and none that is still being written. Yields nothing for
   * a container that does not exist. If the store contradicts itself about that, reject with `STORE_FAILED`: a delete would
   * take an empty listing for a container without incrementals.
   */
  getContainerEntries(container: string, prefix: string, options: StoreOptions): AsyncIterable<string>

  /** Opens a writer for a new object. Rejects with `CONTAINER_MISSING`, here or at close, when the container does not exist. */
  getObjectWriter(container: string, objectName: string, options: WriterOptions): Promise<ObjectWriter>

  /** Opens a reader for an object. Rejects with `OBJECT_MISSING`, here or at the first read, when it does not exist. */
  getObjectReader(container: string, objectName: string, options: ObjectOptions): Promise<ObjectReader>

  /** Deletes an object. Idempotent: an object that does not exist is success. */
  deleteObject(container: string, objectName: string, options: DeleteObjectOptions): Promise<void>

  /** Deletes many objects and returns the ones that it could not delete. */
  deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]>

  /** Returns whether the object exists. */
  objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean>

  /**
   * Returns the prefix of all object names of a new backup. Must contain the backup's id, so that it is unique, and must
   * not begin with another backup's prefix and `-` or `_`.
   */
  generateObjectNamePrefix(backup: NewBackup): string

  /** Returns the container to use instead of the requested one; null for no change. */
  updateContainerName(backup: NewBackup, container: string | null): string | null

  /** Returns metadata to keep in `_metadata` and to receive with each data object of this backup; null for none. */
  getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata>

  /**
   * Returns whether a path on this machine is in the store; the file need not exist. A restore rejects such a target, since
   * it would overwrite backups. Called if `localFiles` is declared.
   */
  ownsPath(path: string, options?: StoreOptions): Promise<boolean>

  /**
   * Yields every container that the driver searches for backups, also one that cannot be listed: where its listing rejects
   * with `FORBIDDEN` or `NOT_A_FILE`, `listBackups` skips it with a warning.
   */
  getContainers(options: ContainerOptions): AsyncIterable<string>

  /**
   * Returns when an object was last written, by the store's clock; undefined if it does not exist. Called if
   * `modificationTimes` is declared.
   */
  objectModifiedAt(container: string, objectName: string, options: StoreOptions): Promise<Date | undefined>

  /**
   * Returns the length of an object, and its MD5 where the store keeps it, without reading the object; undefined if it does
   * not exist. Called if `objectInfo` is declared.
   */
  objectInfo(container: string, objectName: string, options: StoreOptions): Promise<ObjectInfo | undefined>

  /** Finds and removes the files of killed writers. Called if `temporaryObjects` is declared. */
  removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]>
}

/** Returns `{ signal }`, or `{}` without a signal: `exactOptionalPropertyTypes` rejects `{ signal: undefined }`. */
export function signalOptions(signal: AbortSignal | undefined): StoreOptions {
  return signal ? { signal } : {}
}

import type { StepListener } from './progress.js'
import type { ExtraMetadata, NewBackup } from './records.js'

/**
 * What a backend can do beyond the mandatory hooks. The engine uses what is declared and nothing else, and the conformance
 * suite tests it. A method without its capability, and a capability without its method, are refused with `OPTION_INVALID`:
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
  /** A listing may lag behind the objects: it is trusted for nothing but finding more to delete. @default false */
  readonly eventualListing?: boolean
  /** The driver overrides `objectModifiedAt`. @default false: orphans are reported, and not removed */
  readonly modificationTimes?: boolean
  /** The driver overrides `removeTemporaries`: killed writers leave something that no listing shows. @default false */
  readonly temporaryObjects?: boolean
  /** The driver overrides `ownsPath`: the store is a directory of this machine. @default false */
  readonly localFiles?: boolean
  /** Maximum length of an object name, in bytes of UTF-8. Longer names are refused before a backup begins. @default 1024 */
  readonly maxObjectNameBytes?: number
}

/** Options of an operation on a store. */
export interface StoreOptions {
  /**
   * Ends the operation with `ABORTED`, or in the web's own way (its reason, an `AbortError`), which counts as the same; no
   * request, handle or timer outlives it.
   */
  readonly signal?: AbortSignal
}

/** Options of {@link ObjectStore.deleteObject}. */
export interface DeleteObjectOptions extends StoreOptions {
  /**
   * Called when a request was cut off, or ran out of time, before the store had answered, and is sent again: something
   * between may hold it, so that the object may be deleted once more, later. A store that sends no requests has no use for it.
   */
  readonly onUnanswered?: () => void
}

/** Options of {@link ObjectReader.read}. */
export interface ReadOptions extends StoreOptions {
  /** The most bytes the caller is ready to hold. A longer object rejects with `OBJECT_TOO_LARGE`, unread. */
  readonly maxBytes?: number
  /** Memory that the reader may fill and return a view of, where the object fits, instead of fresh memory. */
  readonly buffer?: Uint8Array
  /**
   * The caller holds the bytes against an MD5 of its own. A reader that would sum them only to compare the sum with the
   * store's may leave that out. @default false
   */
  readonly checkedByCaller?: boolean
  /** Told how many of the object's bytes have come. A reader that cannot tell leaves it out. */
  readonly onProgress?: StepListener
}

/**
 * Reads one stored object. Every method rejects with `OBJECT_MISSING` when there is no such object, and with
 * `OBJECT_CORRUPT` when the store can tell that it gave fewer or other bytes than it had stored.
 */
export interface ObjectReader {
  /** The whole object, as stored. */
  read(options?: ReadOptions): Promise<Uint8Array>

  /**
   * The object in pieces of a size that suits the store, for objects that do not belong in memory at once. Needed
   * if and only if the driver declares `streamingReads`. A piece is only good until the next one is asked for.
   */
  stream?(options?: StoreOptions): AsyncIterable<Uint8Array>

  /**
   * Exactly `lengthBytes` bytes from `offsetBytes` of the stored object; fewer only where the object ends. Needed
   * if and only if the driver declares `rangedReads`.
   */
  readRange?(offsetBytes: number, lengthBytes: number, options?: ReadOptions): Promise<Uint8Array>

  /** Frees what the reader holds. Always called, once, also after a failure. */
  close?(): Promise<void>
}

/** A body that can be produced again from the start, so that a failed request can be repeated without holding it. */
export interface ReplayableBody {
  /** Its exact length. */
  readonly lengthBytes: number
  /**
   * Gives its MD5 in lower-case hex: known already, or summed off the main thread. A store that sends or checks it asks
   * here; where the method is absent, it sums the pieces of {@link stream} itself.
   */
  md5?(): Promise<string>

  /**
   * Instead of {@link md5}, for a body that is read as it is produced, and may be another one the next time: the MD5 of
   * what {@link stream} gave last, from its last piece on; undefined before. A store that asks sends no MD5 ahead, and
   * compares the one that it has got.
   */
  md5OfStream?(): Promise<string | undefined>

  /**
   * Produces it from the start, one at a time: the next one ends the one before. A piece is only good until the next one
   * is asked for.
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
   * Writes the whole object from a body that can be repeated. Needed if and only if the driver declares `streamingBodies`;
   * then the engine calls it instead of `write`. The body can be produced until `close` or `abort` has resolved, so that a writer may send it only then.
   */
  writeFrom?(body: ReplayableBody): Promise<void>

  /** Makes the object visible, durably. Rejects when it is not certain to be there. */
  close(): Promise<void>

  /** Discards what was written. Called instead of `close` after a failure, also of `close` itself. Never rejects. */
  abort(): Promise<void>
}

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
   * restore refuses such a target: it would overwrite backups. Called where `localFiles` is declared.
   */
  ownsPath(path: string, options?: StoreOptions): Promise<boolean>

  /**
   * Every container that the driver searches for backups. One that cannot be listed is named too: where its listing
   * rejects with `FORBIDDEN` or `NOT_A_FILE`, a list of backups leaves it out with a warning, and keeps the others.
   */
  getContainers(options: ContainerOptions): AsyncIterable<string>

  /**
   * When an object was last written, by the store's clock; undefined where there is no such object. Called where
   * `modificationTimes` is declared.
   */
  objectModifiedAt(container: string, objectName: string, options: StoreOptions): Promise<Date | undefined>

  /** Finds and removes what writers of killed programs left. Called where `temporaryObjects` is declared. */
  removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]>
}

/** A signal alone as the options of a hook, which are exact: none is not `undefined`. */
export function signalOptions(signal: AbortSignal | undefined): StoreOptions {
  return signal ? { signal } : {}
}

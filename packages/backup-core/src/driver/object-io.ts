import type { StepListener } from '../progress/progress.js'

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
   * when the driver declares `streamingReads`. A piece is only good until the next one is asked for.
   */
  stream?(options?: StoreOptions): AsyncIterable<Uint8Array>

  /**
   * Exactly `lengthBytes` bytes from `offsetBytes` of the stored object; fewer only where the object ends. Needed
   * when the driver declares `rangedReads`.
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
   * Writes the whole object from a body that can be repeated. An alternative to `write`, never mixed with it. The body
   * can be produced until `close` or `abort` has resolved, so that a writer may send it only then.
   */
  writeFrom?(body: ReplayableBody): Promise<void>

  /** Makes the object visible, durably. Rejects when it is not certain to be there. */
  close(): Promise<void>

  /** Discards what was written. Called instead of `close` after a failure, also of `close` itself. Never rejects. */
  abort(): Promise<void>
}

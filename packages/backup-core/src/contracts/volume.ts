/** A byte range of a volume. */
export interface VolumeExtent {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/** Options of opening a volume. */
export interface VolumeOpenOptions {
  readonly signal?: AbortSignal
}

/** An open source. */
export interface OpenSource {
  /**
   * The volume's size, a whole number of bytes; undefined for a stream whose length is not known. Any other value is
   * rejected with `OPTION_INVALID`.
   */
  readonly sizeBytes: number | undefined

  /**
   * Fills `into` from `offsetBytes`, and returns the number of bytes read: fewer than requested only where the volume
   * ends. Unless the source is `seekable`, each read begins where the previous one ended. Rejects with `SOURCE_READ` or
   * `SOURCE_CHANGED`; a result that is not a whole number from 0 to `into.length` is `SOURCE_READ`.
   */
  read(into: Uint8Array, offsetBytes: number, options?: VolumeOpenOptions): Promise<number>

  /** Whether `read` accepts any offset, and concurrent calls. A source of unknown size is read in order all the same. */
  readonly seekable: boolean

  /**
   * The extents that hold data, ascending and without overlaps. The rest is zeros, and is not read. Called only where the
   * source is `seekable` and its size is known. @default the whole volume
   */
  extents?(options?: VolumeOpenOptions): AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>

  /**
   * The extents that may have changed since that backup of this volume began, ascending and without overlaps; undefined if
   * they are not known. A piece without any is not read, and keeps the parent's hashes: a change that is omitted here
   * is missing from the backup. Called only where the source is `seekable` and its size is known.
   * @default the whole volume is read and compared
   */
  changedSince?(
    backupId: string,
    options?: VolumeOpenOptions,
  ): Promise<AsyncIterable<VolumeExtent> | Iterable<VolumeExtent> | undefined>

  /** Returns a warning if the source has changed since it was opened; undefined if no change is known. */
  changeWarning?(): Promise<string | undefined>

  /** Frees the source's resources. Called once, also after a failure. */
  close(): Promise<void>
}

/** Something that can be backed up. */
export interface VolumeSource {
  openSource(options?: VolumeOpenOptions): Promise<OpenSource>
}

/** The requirements of a restore on its target. */
export interface TargetRequirements extends VolumeOpenOptions {
  /** The size of the volume. */
  readonly volumeSizeBytes: number
  /** The end of the last byte that will be written. */
  readonly endBytes: number
  /** Whether only a part is restored: the rest of the target is left unchanged. */
  readonly partial: boolean
  /** Whether the caller accepts that the target's data is overwritten. */
  readonly overwrite: boolean
  /** The first byte that will be written. @default 0 */
  readonly startBytes?: number
  /** The id of the restored backup, for a mark beside the target. */
  readonly backupId?: string
  /** Called with warnings, which do not stop the restore. */
  readonly warn?: (code: 'RESTORE_INCOMPLETE' | 'TARGET_UNMARKED', message: string) => void
}

/** An open target. */
export interface OpenTarget {
  /** Whether every byte of the target reads as zero, so that zeros need not be written. */
  readonly readsAsZeros: boolean

  /** Writes all of `bytes` at `offsetBytes`. Several calls may run concurrently, for ranges that do not overlap. */
  write(bytes: Uint8Array, offsetBytes: number): Promise<void>

  /** Makes all writes durable, and gives the target its required size. Called once, after the last write. */
  finish(): Promise<void>

  /** Frees the target's resources. Called once, also after a failure. */
  close(): Promise<void>

  /** Removes a target that this restore created. Called after a failure or an abort, after `close`. */
  discard?(): Promise<void>
}

/** Something that a backup can be restored to. */
export interface VolumeTarget {
  /**
   * Opens the target, or rejects before anything is written: `TARGET_TOO_SMALL`, `TARGET_NOT_EMPTY` (it has data, and
   * `overwrite` is not set), `TARGET_BUSY` (a mounted device, or another restore), `NOT_A_FILE`.
   */
  openTarget(requirements: TargetRequirements): Promise<OpenTarget>
}

/** The simplest source: it has a size, and can be read at any offset. */
export interface RandomAccessSource {
  readonly size: number
  /** Resolves to the bytes from `offset`: fewer than `length` only where the volume ends, and at least one before that. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** The extents that hold data; see {@link OpenSource.extents}. */
  extents?(): AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>
  /** The extents that changed since a backup; see {@link OpenSource.changedSince}. */
  changedSince?(backupId: string): Promise<AsyncIterable<VolumeExtent> | Iterable<VolumeExtent> | undefined>
}

/**
 * The sources that `backup` accepts: a volume, a Buffer or Uint8Array, a Node `Readable`, a web `ReadableStream`,
 * any `AsyncIterable<Uint8Array>`, or a random-access source.
 */
export type BackupSource =
  VolumeSource | RandomAccessSource | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

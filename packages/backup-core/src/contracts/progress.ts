import type { BackupError } from '../errors/backup-error.js'

/** The operation that is reported. */
export type ProgressPhase = 'backup' | 'restore' | 'verify' | 'copy' | 'delete'

/**
 * A step of an operation in which no bytes of the volume are transferred: reading the parent's metadata and block hashes,
 * storing the block hashes or the metadata, or flushing the target to disk.
 */
export type ProgressStep = 'read-parent' | 'store-hash-list' | 'store-metadata' | 'sync-target'

/**
 * A report of a long operation. Counts never decrease. The last report of a success has `percent` 100. Reports come with
 * each object, and several times a second while one is read, hashed, compressed, stored, fetched or written.
 */
export interface Progress {
  readonly phase: ProgressPhase
  /** Reported when the step begins; undefined while bytes of the volume are transferred. */
  readonly step?: ProgressStep | undefined
  /**
   * The bytes of the volume that are done; those of a chunk or object in progress count in proportion to its finished
   * steps. For a delete: the number of objects.
   */
  readonly done: number
  /** The total of {@link done}; undefined while a stream's size is not known. */
  readonly total: number | undefined
  /** From 0 to 100; undefined while the total is not known. */
  readonly percent: number | undefined
  /** Bytes that were sent to the store or received from it, including the metadata of a backup. */
  readonly transferredBytes: number
  /** Objects that were stored, fetched, copied or deleted. */
  readonly objects: number
}

/**
 * Called with the progress of one step: the bytes so far, and their total. A step that is repeated begins at 0 again. The
 * listener never throws.
 */
export type ByteProgressListener = (reachedBytes: number, totalBytes: number) => void

/** Called with reports, never concurrently. What it throws is ignored; to end an operation, use its `signal`. */
export type ProgressListener = (progress: Progress) => void

/** A finding that does not stop an operation. */
export interface BackupWarning {
  /** Stable, as error codes are; `docs/errors.md` lists them. */
  readonly code:
    | 'EXTRA_OBJECTS'
    | 'UNUSED_OBJECT_MISSING'
    | 'SOURCE_CHANGED'
    | 'SOURCE_SHRANK'
    | 'RESTORE_INCOMPLETE'
    | 'TARGET_UNMARKED'
    | 'LISTING_INCOMPLETE'
    | 'OBJECT_REREAD'
    | 'METADATA_UNREADABLE'
    | 'CLAIM_LEFT'
    | 'HASH_LIST_UNREADABLE'
    | 'VOLUME_SHRANK'
    | 'PARENT_MISSING'
    | 'PARENT_PASSED_OVER'
    | 'ID_TWICE'
    | 'DEPENDENT_IGNORED'
    | 'DELETE_NOT_MARKED'
    | 'COMPRESSION_NOT_CINDER'
    | 'COPY_UNVERIFIED'
    | 'DRIVER'
  readonly message: string
  readonly backupId?: string
}

/** Called with each warning. What it throws is ignored. */
export type WarningListener = (warning: BackupWarning) => void

/** A failed request to a store that is about to be retried. */
export interface RetryEvent {
  /** The failed operation, as in a message: `Storing object a in container b`. */
  readonly operation: string
  /** How many attempts have failed so far, from 1. */
  readonly attempt: number
  /** How long the driver waits before the next attempt. */
  readonly delayMs: number
  /** Why the attempt failed. */
  readonly error: BackupError
}

/** Called before each wait for a retry. Errors that it throws are ignored. */
export type RetryListener = (event: RetryEvent) => void

/** Options of every long operation. */
export interface OperationOptions {
  /** Ends the operation with `ABORTED`, after everything that it started has ended. */
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /** Overrides the driver's own `onWarning`, but for warnings of the backend itself, which have the code `DRIVER`. */
  readonly onWarning?: WarningListener
}

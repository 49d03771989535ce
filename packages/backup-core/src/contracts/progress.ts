import type { BackupError } from '../errors/backup-error.js'

/** The kind of a long operation. */
export type ProgressPhase = 'backup' | 'restore' | 'verify' | 'delete'

/**
 * What an operation does while no bytes of the volume move: it reads the parent's metadata and block hashes, stores its own
 * block hashes or its metadata, or waits until the target is on the disk.
 */
export type ProgressStep = 'read-parent' | 'store-hash-list' | 'store-metadata' | 'sync-target'

/**
 * A report of a long operation. Counts never decrease. The last report of a success has `percent` 100. Reports come with
 * each object, and several times a second while one is read, hashed, compressed, stored, fetched or written.
 */
export interface Progress {
  readonly phase: ProgressPhase
  /** Reported when the step begins; undefined while bytes of the volume move. */
  readonly step?: ProgressStep | undefined
  /**
   * Bytes of the volume that are done; bytes of a chunk or an object in progress count by its finished steps.
   * For a delete: objects.
   */
  readonly done: number
  /** Of how many; undefined while a stream's size is not known. */
  readonly total: number | undefined
  /** From 0 to 100; undefined while the total is not known. */
  readonly percent: number | undefined
  /** Bytes that were sent to the store or received from it, including the metadata of a backup. */
  readonly transferredBytes: number
  /** Objects that were stored, fetched or deleted. */
  readonly objects: number
}

/**
 * Called with the progress of one step: the bytes so far, and their total. A step that is repeated begins at 0 again. The
 * listener never throws.
 */
export type StepListener = (reachedBytes: number, totalBytes: number) => void

/** Called with reports, never concurrently. What it throws is the operation's failure. */
export type ProgressListener = (progress: Progress) => void

/** A finding that does not stop an operation. */
export interface BackupWarning {
  /** Stable, as error codes are. */
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
    | 'DRIVER'
  readonly message: string
  readonly backupId?: string
}

/** Called with each warning. */
export type WarningListener = (warning: BackupWarning) => void

/** A request to a store that failed, and is sent again after a wait. */
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

/** Called before each wait for a retry. What it throws is ignored. */
export type RetryListener = (event: RetryEvent) => void

/** Options of every long operation. */
export interface OperationOptions {
  /** Ends the operation with `ABORTED`, after all it started has ended too. */
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /** Overrides the driver's own `onWarning`. */
  readonly onWarning?: WarningListener
}

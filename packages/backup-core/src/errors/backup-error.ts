import type { BackupErrorCode } from './codes.js'

/**
 * Marks every BackupError of every copy of this package. `instanceof` is false between the ESM and the CommonJS
 * copy of one package in one program; a registered symbol is the same in both.
 */
const brand = Symbol.for('@stowage/backup-core/BackupError')

/** One of the faults that a verification found. */
export interface BackupProblem {
  readonly code: BackupErrorCode
  readonly message: string
  readonly backupId?: string
  readonly objectName?: string
  readonly offsetBytes?: number
}

/** What an error can say about itself beside its message. Everything in it is safe to log. */
export interface BackupErrorDetails {
  /** The backup the operation was about. */
  readonly backupId?: string
  readonly container?: string
  readonly objectName?: string
  /** Where in the volume, in bytes. */
  readonly offsetBytes?: number
  /** Names of objects that could not be removed, where that is what the error reports. */
  readonly leftovers?: readonly string[]
  /** Ids of backups that stand in the way, or that a check found wanting. */
  readonly backupIds?: readonly string[]
  /** Names of objects or containers that cannot be read, where that is why the operation was refused. */
  readonly unreadable?: readonly string[]
  /** Every fault, where a check looks for all of them. */
  readonly problems?: readonly BackupProblem[]
  /** A store's own name for the request, such as Swift's X-Trans-Id. */
  readonly requestId?: string
  /** The status of an HTTP answer. */
  readonly status?: number
}

/** How to build a {@link BackupError}. */
export interface BackupErrorOptions extends BackupErrorDetails {
  readonly cause?: unknown
}

/**
 * The one error class of Stowage. Match on {@link BackupError.code}, by way of {@link isBackupError}: codes are
 * stable, messages are for people and say what to do next.
 */
export class BackupError extends Error {
  readonly code: BackupErrorCode
  readonly details: BackupErrorDetails

  constructor(code: BackupErrorCode, message: string, options: BackupErrorOptions = {}) {
    const { cause, ...details } = options
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BackupError'
    this.code = code
    this.details = Object.freeze(details)
    Object.defineProperty(this, brand, { value: true })
  }
}

/**
 * Whether `error` is a {@link BackupError}, of the given code where one is given. Holds across the ESM and CommonJS
 * copies of this package, where `instanceof` does not.
 */
export function isBackupError(error: unknown, code?: BackupErrorCode): error is BackupError {
  return isBranded(error) && (code === undefined || error.code === code)
}

function isBranded(error: unknown): error is BackupError {
  return typeof error === 'object' && error !== null && brand in error
}

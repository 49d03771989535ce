/**
 * Every code of a {@link BackupError}. A code is never renamed; messages may change. `docs/errors.md` describes for each
 * what happened and what to do next.
 */
export type BackupErrorCode =
  // The caller
  | 'OPTION_INVALID'
  | 'ABORTED'
  | 'CLOSED'
  | 'MEMORY_LIMIT'
  // Backups and chains
  | 'BACKUP_NOT_FOUND'
  | 'BACKUP_EXISTS'
  | 'HAS_DEPENDENTS'
  | 'DEPENDENTS_UNKNOWN'
  | 'CHAIN_INVALID'
  | 'VERSION_UNSUPPORTED'
  | 'BLOCK_SIZE_CHANGED'
  | 'VOLUME_GREW'
  | 'VERIFY_FAILED'
  | 'DELETE_INCOMPLETE'
  | 'CLEANUP_INCOMPLETE'
  | 'COPY_INCOMPLETE'
  // What a store holds
  | 'METADATA_INVALID'
  | 'VOLUME_METADATA_UNSUPPORTED'
  | 'RECORD_INVALID'
  | 'LISTING_INVALID'
  | 'OBJECT_MISSING'
  | 'OBJECT_CORRUPT'
  | 'OBJECT_TOO_LARGE'
  | 'OBJECT_LIST_MISMATCH'
  | 'COMPRESSION_UNKNOWN'
  | 'COMPRESSION_FAILED'
  // Volumes
  | 'SOURCE_READ'
  | 'SOURCE_CHANGED'
  | 'SOURCE_EMPTY'
  | 'SOURCE_SHRANK'
  | 'SOURCE_INCOMPLETE'
  | 'TARGET_TOO_SMALL'
  | 'TARGET_NOT_EMPTY'
  | 'TARGET_BUSY'
  | 'TARGET_WRITE'
  | 'NOT_A_FILE'
  // Stores
  | 'STORE_MISSING'
  | 'CONTAINER_MISSING'
  | 'CONFLICT'
  | 'NO_SPACE'
  | 'QUOTA_EXCEEDED'
  | 'STORE_READONLY'
  | 'STORE_UNAVAILABLE'
  | 'STORE_FAILED'
  | 'RATE_LIMITED'
  | 'FORBIDDEN'
  | 'AUTH_FAILED'
  | 'AUTH_EXPIRED'
  | 'ENDPOINT_NOT_FOUND'
  | 'CATALOG_INVALID'
  | 'CONFIG_INVALID'
  | 'TLS_FAILED'

/**
 * Marks every BackupError of every copy of this package. `instanceof` is false between the ESM and the CommonJS
 * copy of one package in one program; a registered symbol is the same in both.
 */
const brand = Symbol.for('@stowage/backup-core/BackupError')

/** One of the problems that a verification found. */
export interface BackupProblem {
  readonly code: BackupErrorCode
  readonly message: string
  readonly backupId?: string
  readonly objectName?: string
  readonly offsetBytes?: number
}

/** Details of an error beside its message. All of them are safe to log. */
export interface BackupErrorDetails {
  /** The backup of the operation. */
  readonly backupId?: string
  readonly container?: string
  readonly objectName?: string
  /** The offset in the volume, in bytes. */
  readonly offsetBytes?: number
  /** Names of objects that could not be removed, where the error reports that. */
  readonly leftovers?: readonly string[]
  /** Ids of backups that prevent the operation, or that a check found to be invalid. */
  readonly backupIds?: readonly string[]
  /** Names of objects or containers that cannot be read, where the operation was rejected for that. */
  readonly unreadable?: readonly string[]
  /** Every problem, where a check searches all of them. */
  readonly problems?: readonly BackupProblem[]
  /** A store's own name for the request, such as Swift's X-Trans-Id. */
  readonly requestId?: string
  /** The status of an HTTP response. */
  readonly status?: number
}

/** Options of the constructor of {@link BackupError}. */
export interface BackupErrorOptions extends BackupErrorDetails {
  readonly cause?: unknown
}

/**
 * The one error class of Stowage. Match on {@link BackupError.code}, with {@link isBackupError}: codes are stable,
 * messages are for people and state what to do next.
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

/** Returns the error for an operation that its caller's signal ended. */
export function abortedError(signal: AbortSignal, operation = 'The operation'): BackupError {
  if (isBackupError(signal.reason, 'ABORTED')) return signal.reason
  return new BackupError('ABORTED', `${operation} was aborted.`, { cause: signal.reason })
}

/**
 * Returns the error of an operation whose signal is aborted: `ABORTED`, or, where the pipeline aborted it because of a
 * failure, that first error.
 */
export function reasonOfAbort(signal: AbortSignal, operation?: string): BackupError {
  return isBackupError(signal.reason) ? signal.reason : abortedError(signal, operation)
}

/** Throws {@link reasonOfAbort} once the signal has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, operation?: string): void {
  if (signal?.aborted) throw reasonOfAbort(signal, operation)
}

/**
 * Whether `error` is an abort: a {@link BackupError} with the code `ABORTED`, or, once `signal` has been aborted, the
 * signal's reason, as `signal.throwIfAborted()` throws it, or an error named `AbortError`.
 *
 * An `AbortError` without an abort of that signal is an ordinary failure, such as a timeout of the client.
 */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (isBackupError(error, 'ABORTED')) return true
  if (!signal?.aborted) return false
  return error === signal.reason || (!isBackupError(error) && isAbortError(error))
}

/** Whether `error` has the name of the aborts of web APIs and Node.js, whatever was aborted. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
}

/**
 * Waits for `work`, or until the signal is aborted: for work that takes no signal and may never settle. The result of
 * work that is abandoned is ignored. Rejects as `throwIfAborted` throws.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  operation: string,
): Promise<T> {
  if (signal === undefined) return work
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(reasonOfAbort(signal, operation))
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

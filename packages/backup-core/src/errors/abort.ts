import { BackupError, isBackupError } from './backup-error.js'

/** The error for an operation that its caller's signal ended. */
export function abortedError(signal: AbortSignal, operation = 'The operation'): BackupError {
  if (isBackupError(signal.reason, 'ABORTED')) return signal.reason
  return new BackupError('ABORTED', `${operation} was aborted.`, { cause: signal.reason })
}

/**
 * What an aborted signal ends an operation with: `ABORTED`, or the first error where the pipeline aborted it because
 * something else failed.
 */
export function reasonOfAbort(signal: AbortSignal, operation?: string): BackupError {
  return isBackupError(signal.reason) ? signal.reason : abortedError(signal, operation)
}

/**
 * Throws `ABORTED` once the signal has been aborted. Where the pipeline aborted it because something else failed,
 * the reason is that first error, and it is the one thrown.
 */
export function throwIfAborted(signal: AbortSignal | undefined, operation?: string): void {
  if (signal?.aborted) throw reasonOfAbort(signal, operation)
}

/**
 * Whether `error` is an abort: a {@link BackupError} with the code `ABORTED`, or, once `signal` has been aborted, what
 * the platform throws: the signal's reason, as `signal.throwIfAborted()` does, or an error named `AbortError`.
 *
 * An `AbortError` without an abort of that signal is an ordinary failure: a client that gave up by itself.
 */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (isBackupError(error)) return error.code === 'ABORTED' || (isAborted(signal) && error === signal.reason)
  return isAborted(signal) && (error === signal.reason || isAbortError(error))
}

/** Whether `error` has the name that web and Node.js give to aborts, whatever was aborted. */
export function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
}

function isAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true
}

import { BackupError, isBackupError } from './backup-error.js'

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

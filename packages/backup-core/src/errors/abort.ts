import { BackupError, isBackupError } from './backup-error.js'

/** The error for an operation that its caller's signal ended. */
export function abortedError(signal: AbortSignal, operation = 'The operation'): BackupError {
  if (isBackupError(signal.reason, 'ABORTED')) return signal.reason
  return new BackupError('ABORTED', `${operation} was aborted.`, { cause: signal.reason })
}

/**
 * Throws `ABORTED` once the signal has been aborted. Where the pipeline aborted it because something else failed,
 * the reason is that first error, and it is the one thrown.
 */
export function throwIfAborted(signal: AbortSignal | undefined, operation?: string): void {
  if (!signal?.aborted) return
  if (isBackupError(signal.reason)) throw signal.reason
  throw abortedError(signal, operation)
}

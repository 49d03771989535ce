import { reasonOfAbort } from '../errors/abort.js'
import { isBackupError, type BackupError } from '../errors/backup-error.js'
import { describeValue } from './describe-value.js'

/** Calls a method of a caller's own source or target, which may throw instead of rejecting, or return a plain value. */
export async function checkedCall<T>(
  call: () => T | Promise<T>,
  toError: (error: unknown) => BackupError,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toError(error)
  }
}

/** What a failed call is reported as: its own `BackupError`, the abort of the operation, or a new error with the reason. */
export function errorOfCall(
  error: unknown,
  { operation, signal }: { readonly operation: string; readonly signal: AbortSignal | undefined },
  toError: (why: string) => BackupError,
): BackupError {
  if (isBackupError(error)) return error
  if (signal?.aborted === true) return reasonOfAbort(signal, operation)
  return toError(error instanceof Error ? error.message : describeValue(error))
}

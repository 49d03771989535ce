import type { BackupError } from '@stowage/backup-core'
import type { RetryAdvice } from './network-failures.js'

/** One attempt that failed: the error to give up with, and whether another attempt may help. */
export class AttemptFailure extends Error {
  constructor(
    readonly error: BackupError,
    readonly retry: RetryAdvice,
    /** What the server asked for, in milliseconds. */
    readonly retryAfterMs?: number,
    /** Whether the server may have done what was asked of it. */
    readonly mayHaveHappened = false,
    /** How often such a failure is worth another attempt, where that is less often than the policy allows. */
    readonly mostRetries = Number.POSITIVE_INFINITY,
  ) {
    super(error.message, { cause: error })
    this.name = 'AttemptFailure'
  }
}

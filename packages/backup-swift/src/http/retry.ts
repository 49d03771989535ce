import { setTimeout as sleep } from 'node:timers/promises'
import { abortedError, BackupError, type RetryListener } from '@stowage/backup-core'
import type { RetryAdvice } from './failures.js'

/** How often and how soon a request is repeated. */
export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retries: number
  /** The wait before the second retry of a kind; it doubles with each. */
  readonly backoffMs: number
  /** No wait is longer, unless a server asks for it. */
  readonly maxBackoffMs: number
  /** No retry begins later than this after the first attempt began. */
  readonly deadlineMs: number
  /** Called for each attempt that fails, also where another one follows. */
  readonly onFailedAttempt?: (error: BackupError) => void
}

/** Who is told of retries, and of what. */
export interface RetryReport {
  readonly operation: string
  readonly onRetry: RetryListener
}

/**
 * Runs `attempt` until it succeeds, fails for good, or the policy says stop. Waits double from `backoffMs` up to
 * `maxBackoffMs`, less up to half of it by chance, so that many clients do not come back in step; a server's
 * Retry-After is obeyed where it lies before the deadline.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (retry: number) => Promise<T>,
  report?: RetryReport,
): Promise<T> {
  const startedAt = performance.now()
  let backoffs = 0
  let isConfirming = false
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt(retry)
    } catch (failure) {
      if (!(failure instanceof AttemptFailure)) throw failure
      policy.onFailedAttempt?.(failure.error)
      if (failure.retry === 'never') throw failure.error
      if (failure.retry === 'confirm' && !isConfirming) {
        isConfirming = true
        retry -= 1
        continue
      }
      const atOnce = failure.retry === 'at-once' && retry === 0
      const delayMs = atOnce ? 0 : Math.max(delayOf(policy, backoffs), failure.retryAfterMs ?? 0)
      if (!atOnce) backoffs += 1
      const elapsedMs = performance.now() - startedAt
      const isLast = retry >= Math.min(policy.retries, failure.mostRetries)
      if (isLast || elapsedMs + delayMs > policy.deadlineMs) {
        throw givenUp(failure, retry + 1, elapsedMs, isLast ? undefined : delayMs)
      }
      reportTo(report, retry + 1, delayMs, failure.error)
      await abortableSleep(delayMs, signal)
    }
  }
}

function reportTo(
  report: RetryReport | undefined,
  attempt: number,
  delayMs: number,
  error: BackupError,
): void {
  try {
    report?.onRetry({ operation: report.operation, attempt, delayMs, error })
  } catch {
    // A listener that fails must not end a request that may still succeed.
  }
}

function delayOf(policy: RetryPolicy, backoffs: number): number {
  const full = Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** Math.min(backoffs, 30))
  return full * (0.5 + Math.random() / 2)
}

/** Waits; rejects with `ABORTED` when the signal is aborted. */
export async function abortableSleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : undefined)
  } catch (error) {
    throw signal ? abortedError(signal, 'The request') : error
  }
}

function givenUp(
  { error }: AttemptFailure,
  attempts: number,
  elapsedMs: number,
  refusedDelayMs: number | undefined,
): BackupError {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const late =
    refusedDelayMs === undefined
      ? ''
      : ` The next try would be in ${seconds(refusedDelayMs)}, past the deadline (retryDeadlineSeconds).`
  return new BackupError(
    error.code,
    `${error.message} Tried ${attempts === 1 ? 'once' : `${attempts} times`} in ${seconds(elapsedMs)}.${late}`,
    { ...error.details, ...(error.cause === undefined ? {} : { cause: error.cause }) },
  )
}

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

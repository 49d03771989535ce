import { setTimeout as sleep } from 'node:timers/promises'
import { abortedError, BackupError, type RetryListener } from '@stowage/backup-core'
import type { RetryAdvice } from './failures.js'

/** How often and how soon a request is retried. */
export interface RetryPolicy {
  /** The maximum number of attempts after the first. */
  readonly retries: number
  /** The first backoff; it doubles with each. */
  readonly backoffMs: number
  /** The maximum backoff, unless the server sends a longer Retry-After. */
  readonly maxBackoffMs: number
  /** The time after the start of the first attempt beyond which no retry begins. */
  readonly deadlineMs: number
  /** What the user of a backend calls the deadline, for the error that it caused. @default not named */
  readonly deadlineName?: string
  /** Called for each failed attempt, including those that are retried. */
  readonly onFailedAttempt?: (error: BackupError) => void
}

/** Where retries are reported. */
export interface RetryReport {
  readonly operation: string
  readonly onRetry: RetryListener
}

/**
 * Runs `attempt` until it succeeds, fails permanently, or exceeds the policy. The backoff doubles from `backoffMs` to
 * `maxBackoffMs`, less up to half as jitter, so that clients do not retry in step. Honours Retry-After up to the deadline.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (retry: number) => Promise<T>,
  report?: RetryReport,
): Promise<T> {
  const startedAt = performance.now()
  let backoffs = 0
  /** Of the failures that allow fewer retries than the policy. */
  let limitedRetries = 0
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
      const isImmediate = failure.retry === 'immediately' && retry === 0
      const delayMs = isImmediate ? 0 : Math.max(delayOf(policy, backoffs), failure.retryAfterMs)
      if (!isImmediate) backoffs += 1
      const elapsedMs = performance.now() - startedAt
      const isLast = retry >= policy.retries || limitedRetries >= failure.maxRetries
      if (failure.maxRetries < policy.retries) limitedRetries += 1
      if (isLast || elapsedMs + delayMs > policy.deadlineMs) {
        throw givenUp(policy, failure, retry + 1, elapsedMs, isLast ? undefined : delayMs)
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
    // An error of the listener must not end a request that may still succeed.
  }
}

function delayOf(policy: RetryPolicy, backoffs: number): number {
  const full = Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** Math.min(backoffs, 30))
  return full * (0.5 + Math.random() / 2)
}

/** Waits for a time. Rejects with `ABORTED` when the signal is aborted. */
export async function abortableSleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : undefined)
  } catch (error) {
    throw signal ? abortedError(signal, 'The request') : error
  }
}

function givenUp(
  policy: RetryPolicy,
  { error }: AttemptFailure,
  attempts: number,
  elapsedMs: number,
  refusedDelayMs: number | undefined,
): BackupError {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const late =
    refusedDelayMs === undefined
      ? ''
      : ` The next attempt would be in ${seconds(refusedDelayMs)}, past the deadline${policy.deadlineName === undefined ? '' : ` (${policy.deadlineName})`}.`
  return new BackupError(
    error.code,
    `${error.message} Tried ${attempts === 1 ? 'once' : `${attempts} times`} in ${seconds(elapsedMs)}.${late}`,
    { ...error.details, ...(error.cause === undefined ? {} : { cause: error.cause }) },
  )
}

/** What else is known of a failed attempt. */
interface FailureDetails {
  /** The delay of the server's Retry-After, in milliseconds. @default 0 */
  readonly retryAfterMs?: number | undefined
  /** Whether the server may have carried out the request. @default false */
  readonly mayHaveHappened?: boolean
  /** The maximum number of retries, if it is less than that of the policy. @default Infinity */
  readonly maxRetries?: number | undefined
}

/** A failed attempt: the error to report in the end, and whether a retry may succeed. */
export class AttemptFailure extends Error {
  readonly retryAfterMs: number
  readonly mayHaveHappened: boolean
  readonly maxRetries: number

  constructor(
    readonly error: BackupError,
    readonly retry: RetryAdvice,
    { retryAfterMs = 0, mayHaveHappened = false, maxRetries = Infinity }: FailureDetails = {},
  ) {
    super(error.message, { cause: error })
    this.name = 'AttemptFailure'
    this.retryAfterMs = retryAfterMs
    this.mayHaveHappened = mayHaveHappened
    this.maxRetries = maxRetries
  }
}

import { inCommandNames } from './command-names.js'
import type { ProgressStep, RetryEvent } from '@stowage/backup-core'
import { formatDuration } from './duration.js'
import { stepTexts } from './progress-text.js'

/** A notice is shown after so long without progress. */
const noticeAfterMs = 2000

/** The maximum length of a reason: a server may send a page of HTML. */
const maxReasonLength = 200

/** Describes what a command without progress waits for, on a clock that the caller passes. */
export class WaitingNotice {
  #movedAtMs: number
  #step: ProgressStep | undefined
  #retry: (RetryEvent & { readonly atMs: number }) | undefined

  constructor(nowMs: number) {
    this.#movedAtMs = nowMs
  }

  /**
   * Records progress: bytes moved, or a message was written.
   *
   * @param step - a step that began, and that reports no progress
   */
  moved(nowMs: number, step?: ProgressStep): void {
    this.#movedAtMs = nowMs
    this.#step = step
    this.#retry = undefined
  }

  /** Reports a request that failed and is retried after a wait. */
  retrying(event: RetryEvent, nowMs: number): void {
    this.#retry = { ...event, atMs: nowMs }
  }

  /**
   * Returns what the command waits for, after two seconds without progress; undefined before.
   *
   * @param suspect - what it may wait for unless a retry shows it: `the store`; undefined where the operation reports no
   *   progress
   */
  text(nowMs: number, suspect: string | undefined): string | undefined {
    const idleMs = this.idleMs(nowMs)
    if (idleMs < noticeAfterMs) return undefined
    if (this.#retry) return retryText(this.#retry, nowMs)
    if (this.#step !== undefined) return `${stepTexts[this.#step]}, for ${whole(idleMs)} so far`
    return suspect === undefined
      ? `working with the store, for ${whole(idleMs)} so far`
      : `no progress for ${whole(idleMs)}; ${suspect} may not answer`
  }

  /** Time since the last progress. */
  idleMs(nowMs: number): number {
    return nowMs - this.#movedAtMs
  }

  /** Whether the command waits for a retry. */
  get isRetrying(): boolean {
    return this.#retry !== undefined
  }
}

function retryText(
  { operation, attempt, delayMs, error, atMs }: RetryEvent & { readonly atMs: number },
  nowMs: number,
): string {
  const leftMs = atMs + delayMs - nowMs
  // Messages of Stowage's drivers begin with the operation; those of other drivers may not.
  const reason = error.message.startsWith(operation)
    ? error.message.slice(operation.length).replace(/^[\s:]+/, '')
    : error.message
  const when = leftMs > 0 ? `in ${whole(leftMs)}` : `running for ${whole(-leftMs)}`
  return `waiting for the store: ${operation} (retry ${String(attempt)} ${when}: ${inCommandNames(reason).slice(0, maxReasonLength)})`
}

/** Whole seconds, because the text is updated each second. */
function whole(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  return seconds < 60 ? `${String(seconds)} s` : formatDuration(seconds * 1000)
}

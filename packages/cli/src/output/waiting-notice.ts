import { inCommandWords } from './command-words.js'
import type { ProgressStep, RetryEvent } from '@stowage/backup-core'
import { formatDuration } from './duration.js'
import { stepTexts } from './progress-text.js'

/** So long may nothing move before it is said. */
const patienceMs = 2000

/** The longest reason that is shown: a server may send a page of HTML. */
const maxReasonLength = 200

/** What a command waits for while nothing moves. Pure arithmetic on a clock that is handed in. */
export class WaitingNotice {
  #movedAtMs: number
  #step: ProgressStep | undefined
  #retry: (RetryEvent & { readonly atMs: number }) | undefined

  constructor(nowMs: number) {
    this.#movedAtMs = nowMs
  }

  /**
   * Something was done: bytes moved, or the command said something.
   *
   * @param step - that began, and reports no progress
   */
  moved(nowMs: number, step?: ProgressStep): void {
    this.#movedAtMs = nowMs
    this.#step = step
    this.#retry = undefined
  }

  /** A request to the store failed, and is sent again after a wait. */
  retrying(event: RetryEvent, nowMs: number): void {
    this.#retry = { ...event, atMs: nowMs }
  }

  /**
   * What is waited for, once nothing has moved for two seconds; undefined before.
   *
   * @param suspect - what may keep it waiting where no retry says it: `the store`; undefined where the operation reports no
   *   progress, so that nothing can be said of it
   */
  text(nowMs: number, suspect: string | undefined): string | undefined {
    const idleMs = this.idleMs(nowMs)
    if (idleMs < patienceMs) return undefined
    if (this.#retry) return retryText(this.#retry, nowMs)
    if (this.#step !== undefined) return `${stepTexts[this.#step]}, for ${whole(idleMs)} so far`
    return suspect === undefined
      ? `working with the store, for ${whole(idleMs)} so far`
      : `no progress for ${whole(idleMs)}; ${suspect} may not answer`
  }

  /** How long nothing has moved. */
  idleMs(nowMs: number): number {
    return nowMs - this.#movedAtMs
  }

  /** Whether a retry of a request is what is waited for. */
  get isRetrying(): boolean {
    return this.#retry !== undefined
  }
}

function retryText(
  { operation, attempt, delayMs, error, atMs }: RetryEvent & { readonly atMs: number },
  nowMs: number,
): string {
  const leftMs = atMs + delayMs - nowMs
  // A driver's messages begin with the operation; another's may not.
  const reason = error.message.startsWith(operation)
    ? error.message.slice(operation.length).replace(/^[\s:]+/, '')
    : error.message
  const when = leftMs > 0 ? `in ${whole(leftMs)}` : `running for ${whole(-leftMs)}`
  return `waiting for the store: ${operation} (retry ${String(attempt)} ${when}: ${inCommandWords(reason).slice(0, maxReasonLength)})`
}

/** Whole seconds, for a text that is shown again each second. */
function whole(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  return seconds < 60 ? `${String(seconds)} s` : formatDuration(seconds * 1000)
}

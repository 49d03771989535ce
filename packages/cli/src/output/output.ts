import type { BackupWarning, ProgressListener, RetryEvent } from '@stowage/backup-core'
import { widthOf } from '../io.js'
import type { CliIo } from '../io.js'
import { inCommandNames } from './command-names.js'
import { printable, printableJson, printableLines } from './printable.js'
import { ProgressBar, ProgressLog, eraseLine } from './progress-reporter.js'
import type { ProgressReporter } from './progress-reporter.js'
import { WaitingNotice } from './waiting-notice.js'

/** The interval between updates of the notice of waiting. */
const tickMs = 500

/** The minimum interval between notices of waiting in a log. */
const logWaitingMs = 10_000

/** How much to print, and in which form. */
export interface OutputMode {
  readonly json: boolean
  readonly quiet: boolean
}

/** The result of a command, in its three forms. */
export interface CommandResult {
  readonly json: unknown
  readonly human: string
  /** With `--quiet`. @default nothing */
  readonly quiet?: string
}

/**
 * Writes all output. Results go to stdout, everything else to stderr; with `--json` stdout is one JSON document and each
 * line of stderr another. Characters that control a terminal are replaced.
 */
export class Output {
  readonly #io: CliIo
  readonly #mode: OutputMode
  readonly #waiting: WaitingNotice
  #reporter: ProgressReporter | undefined
  /** What the command may be waiting for, unless a retry shows it; undefined before an operation reports progress. */
  #waitsFor: string | undefined
  #isWaitingDrawn = false
  #noticedAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  readonly #warned = new Map<string, BackupWarning>()

  constructor(io: CliIo, mode: OutputMode) {
    this.#io = io
    this.#mode = mode
    this.#waiting = new WaitingNotice(this.nowMs())
  }

  result({ json, human, quiet }: CommandResult): void {
    this.endProgress()
    const text = this.#mode.json
      ? `${printableJson(json, 2)}\n`
      : printableLines(this.#mode.quiet ? (quiet ?? '') : human)
    if (text !== '') this.#io.stdout.write(text)
  }

  /** Writes a remark, not with `--json`. */
  note(text: string): void {
    if (this.#mode.json || this.#mode.quiet) return
    this.#clear()
    this.#io.stderr.write(`stowage: ${printable(text)}\n`)
  }

  /** A line that the command of `--stdin-from-command` wrote to stderr. */
  commandLine(line: string): void {
    this.#clear()
    this.#io.stderr.write(
      this.#mode.json ? `${printableJson({ command: { stderr: line } })}\n` : `${printable(line)}\n`,
    )
  }

  /** Writes a warning once: a command that reads the store twice finds the same problems twice. */
  warning(given: BackupWarning): void {
    const warning = { ...given, message: inCommandNames(given.message) }
    const key = `${warning.code} ${warning.message}`
    if (this.#warned.has(key)) return
    this.#warned.set(key, given)
    this.#clear()
    this.#io.stderr.write(
      this.#mode.json
        ? `${printableJson({ warning })}\n`
        : `stowage: warning: ${printable(warning.message)} (${warning.code})\n`,
    )
  }

  /** The ids of the backups that a warning was about. */
  warnedOf(code: BackupWarning['code']): ReadonlySet<string> {
    const ofCode = [...this.#warned.values()].filter((warning) => warning.code === code)
    return new Set(ofCode.flatMap(({ backupId }) => backupId ?? []))
  }

  /** Reports a request that failed and is retried after a wait. */
  retry(event: RetryEvent): void {
    this.#waiting.retrying(event, this.nowMs())
  }

  /**
   * Shows what the command waits for whenever it has made no progress for two seconds, until {@link endProgress}. The timer
   * does not keep the process alive.
   */
  startWaiting(): void {
    if (this.#mode.json || this.#mode.quiet) return
    this.#timer = setInterval(() => {
      this.tick()
    }, tickMs).unref()
  }

  /** Shows what the command waits for, if a notice is due. */
  tick(): void {
    const nowMs = this.nowMs()
    const text = this.#waiting.text(nowMs, this.#waitsFor)
    if (text === undefined) return
    const { stderr } = this.#io
    if (stderr.isTTY === true) {
      this.#isWaitingDrawn = true
      stderr.write(eraseLine + printable(text).slice(0, Math.max(1, widthOf(stderr, 80) - 1)))
      return
    }
    // A log shows retries only, not slow steps.
    const isNews = this.#waiting.isRetrying || this.#waiting.idleMs(nowMs) >= logWaitingMs
    if (!isNews || nowMs - this.#noticedAtMs < logWaitingMs) return
    this.#noticedAtMs = nowMs
    stderr.write(`stowage: ${printable(text)}\n`)
  }

  /**
   * Returns a listener that shows progress in this mode; undefined where it shows none.
   *
   * @param waitsFor - what the operation may wait for
   */
  startProgress(waitsFor = 'the store'): ProgressListener | undefined {
    if (this.#mode.json || this.#mode.quiet) return undefined
    const { stderr } = this.#io
    const nowMs = this.nowMs
    const reporter = stderr.isTTY === true ? new ProgressBar(stderr, nowMs) : new ProgressLog(stderr, nowMs)
    this.#reporter = reporter
    this.#waitsFor = waitsFor
    this.#waiting.moved(nowMs())
    return (progress) => {
      // An operation that is being aborted still reports progress.
      if (this.#reporter !== reporter) return
      this.#waiting.moved(nowMs(), progress.step)
      this.#eraseWaiting()
      reporter.update(progress)
    }
  }

  /** Ends progress and the notice of waiting. */
  endProgress(): void {
    clearInterval(this.#timer)
    this.#clear()
    this.#reporter = undefined
  }

  readonly nowMs = (): number => this.#io.nowMs?.() ?? performance.now()

  /** Clears the progress bar and the notice of waiting. */
  #clear(): void {
    this.#reporter?.clear()
    this.#eraseWaiting()
  }

  #eraseWaiting(): void {
    if (this.#isWaitingDrawn) this.#io.stderr.write(eraseLine)
    this.#isWaitingDrawn = false
  }
}

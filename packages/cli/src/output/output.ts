import type { BackupWarning, ProgressListener, RetryEvent } from '@stowage/backup-core'
import { widthOf } from '../io.js'
import type { CliIo } from '../io.js'
import { inCommandWords } from './command-words.js'
import { printable, printableJson, printableLines } from './printable.js'
import { ProgressBar, ProgressLog, eraseLine } from './progress-reporter.js'
import type { ProgressReporter } from './progress-reporter.js'
import { WaitingNotice } from './waiting-notice.js'

/** How often the line that says what is waited for is drawn again. */
const tickMs = 500

/** In a log, so often at most it is said what is waited for. */
const logWaitingMs = 10_000

/** How much is said, and to whom. */
export interface OutputMode {
  readonly json: boolean
  readonly quiet: boolean
}

/** What a command says in the end, in its three forms. */
export interface CommandResult {
  readonly json: unknown
  readonly human: string
  /** What is left of it with `--quiet`. @default nothing */
  readonly quiet?: string
}

/**
 * The one door to the terminal. Results go to stdout, everything else to stderr; with `--json` stdout is one JSON
 * document and each line of stderr another. Nothing that passes it can steer the terminal.
 */
export class Output {
  readonly #io: CliIo
  readonly #mode: OutputMode
  readonly #waiting: WaitingNotice
  #reporter: ProgressReporter | undefined
  /** What may keep the command waiting, where no retry says it; undefined before an operation reports progress. */
  #suspect: string | undefined
  #isWaitingDrawn = false
  #saidWaitingAtMs = Number.NEGATIVE_INFINITY
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

  /** A remark for people alone. */
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

  /** A warning, once: a command that reads the store twice finds the same faults twice. */
  warning(given: BackupWarning): void {
    const warning = { ...given, message: inCommandWords(given.message) }
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

  /** A request to the store failed, and is sent again after a wait. */
  retry(event: RetryEvent): void {
    this.#waiting.retrying(event, this.nowMs())
  }

  /**
   * Says what is waited for whenever nothing has moved for two seconds, until {@link endProgress}. The timer does not keep
   * the process.
   */
  startWaiting(): void {
    if (this.#mode.json || this.#mode.quiet) return
    this.#timer = setInterval(() => {
      this.tick()
    }, tickMs).unref()
  }

  /** Says what is waited for, if it is time to. */
  tick(): void {
    const nowMs = this.nowMs()
    const text = this.#waiting.text(nowMs, this.#suspect)
    if (text === undefined) return
    const { stderr } = this.#io
    if (stderr.isTTY === true) {
      this.#isWaitingDrawn = true
      stderr.write(eraseLine + printable(text).slice(0, Math.max(1, widthOf(stderr, 80) - 1)))
      return
    }
    // In a log a slow step is no news; a store that fails is.
    const isNews = this.#waiting.isRetrying || this.#waiting.idleMs(nowMs) >= logWaitingMs
    if (!isNews || nowMs - this.#saidWaitingAtMs < logWaitingMs) return
    this.#saidWaitingAtMs = nowMs
    stderr.write(`stowage: ${printable(text)}\n`)
  }

  /**
   * A listener that shows progress the way this mode wants it; undefined where it wants none.
   *
   * @param suspect - what may keep the operation waiting
   */
  startProgress(suspect = 'the store'): ProgressListener | undefined {
    if (this.#mode.json || this.#mode.quiet) return undefined
    const { stderr } = this.#io
    const nowMs = this.nowMs
    const reporter = stderr.isTTY === true ? new ProgressBar(stderr, nowMs) : new ProgressLog(stderr, nowMs)
    this.#reporter = reporter
    this.#suspect = suspect
    this.#waiting.moved(nowMs())
    return (progress) => {
      // An operation that is being stopped still reports what it finishes.
      if (this.#reporter !== reporter) return
      this.#waiting.moved(nowMs(), progress.step)
      this.#eraseWaiting()
      reporter.update(progress)
    }
  }

  /** Ends progress and the notice of what is waited for. */
  endProgress(): void {
    clearInterval(this.#timer)
    this.#clear()
    this.#reporter = undefined
  }

  readonly nowMs = (): number => this.#io.nowMs?.() ?? performance.now()

  /** Takes off the screen what is not there to stay. */
  #clear(): void {
    this.#reporter?.clear()
    this.#eraseWaiting()
  }

  #eraseWaiting(): void {
    if (this.#isWaitingDrawn) this.#io.stderr.write(eraseLine)
    this.#isWaitingDrawn = false
  }
}

import type { BackupWarning, ProgressListener, RetryEvent } from '@stowage/backup-core'
import type { CliIo } from '../io.js'
import { formatDuration } from './duration.js'
import { ProgressBar, ProgressLog } from './progress-reporter.js'
import type { ProgressReporter } from './progress-reporter.js'
import { printable } from './table.js'

/** From here on a wait is long enough to be explained. */
const shownWaitMs = 2000

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
 * document and each line of stderr another.
 */
export class Output {
  readonly #io: CliIo
  readonly #mode: OutputMode
  #reporter: ProgressReporter | undefined

  constructor(io: CliIo, mode: OutputMode) {
    this.#io = io
    this.#mode = mode
  }

  result({ json, human, quiet }: CommandResult): void {
    this.endProgress()
    const text = this.#mode.json
      ? `${JSON.stringify(json, null, 2)}\n`
      : this.#mode.quiet
        ? (quiet ?? '')
        : human
    if (text !== '') this.#io.stdout.write(text)
  }

  /** A remark for people alone. */
  note(text: string): void {
    if (this.#mode.json || this.#mode.quiet) return
    this.#reporter?.clear()
    this.#io.stderr.write(`stowage: ${printable(text)}\n`)
  }

  warning(warning: BackupWarning): void {
    this.#reporter?.clear()
    this.#io.stderr.write(
      this.#mode.json
        ? `${JSON.stringify({ warning })}\n`
        : `stowage: warning: ${printable(warning.message)} (${warning.code})\n`,
    )
  }

  /** A request to the store failed, and is sent again after a wait: said where a person would ask what takes so long. */
  retry({ operation, attempt, delayMs, error }: RetryEvent): void {
    if (delayMs < shownWaitMs) return
    // A driver's messages begin with the operation; another's may not.
    const what = error.message.startsWith(operation) ? error.message : `${operation}: ${error.message}`
    this.note(`waiting ${formatDuration(delayMs)} before attempt ${String(attempt + 1)}: ${what}`)
  }

  /** A listener that shows progress the way this mode wants it; undefined where it wants none. */
  startProgress(): ProgressListener | undefined {
    if (this.#mode.json || this.#mode.quiet) return undefined
    const { stderr } = this.#io
    const nowMs = this.nowMs
    const reporter = stderr.isTTY === true ? new ProgressBar(stderr, nowMs) : new ProgressLog(stderr, nowMs)
    this.#reporter = reporter
    return (progress) => {
      // An operation that is being stopped still reports what it finishes.
      if (this.#reporter === reporter) reporter.update(progress)
    }
  }

  endProgress(): void {
    this.#reporter?.clear()
    this.#reporter = undefined
  }

  readonly nowMs = (): number => this.#io.nowMs?.() ?? performance.now()
}

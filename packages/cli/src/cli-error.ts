import type { ExitCode } from './exit-codes.js'

/** How to build a {@link CliError}. */
export interface CliErrorOptions {
  readonly exitCode: ExitCode
  /** What to type next, where the message does not say it. */
  readonly hint?: string
  /** What `--json` shows beside: `backupIds` … */
  readonly details?: object
  readonly cause?: unknown
}

/** What goes wrong in the command itself, before or beside the engine: its `code` is as stable as the engine's. */
export class CliError extends Error {
  readonly code: string
  readonly exitCode: ExitCode
  readonly hint: string | undefined
  readonly details: object | undefined

  constructor(code: string, message: string, options: CliErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.code = code
    this.exitCode = options.exitCode
    this.hint = options.hint
    this.details = options.details
  }
}

import type { ExitCode } from './exit-codes.js'

/** How to build a {@link CliError}. */
export interface CliErrorOptions {
  readonly exitCode: ExitCode
  /** What to do next, where the message does not contain it. */
  readonly hint?: string
  /** Further properties for `--json`: `backupIds` … */
  readonly details?: object
  readonly cause?: unknown
}

/** A failure of the command itself, not of the engine. Its `code` is as stable as the engine's. */
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

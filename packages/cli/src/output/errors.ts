import type { BackupErrorDetails } from '@stowage/backup-core'
import { CliError } from '../cli-error.js'
import { exitCodeOf, exitCodes } from '../exit-codes.js'
import type { ExitCode } from '../exit-codes.js'
import { SignalAbort } from '../signals.js'
import { inCommandNames } from './command-names.js'
import { printable, printableJson } from './printable.js'

/** A failure to report: as text, or as the `error` of `--json`. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly exitCode: ExitCode
  /** The error's details: `backupId`, `objectName`, `problems`, `leftovers` … */
  readonly details?: object
}

/** What to do next, where the engine's message does not contain it. */
const hints: Readonly<Record<string, string>> = {
  BLOCK_SIZE_CHANGED: 'Leave --block-size out to keep the one of the parent.',
}

/** The maximum number of problems in text; `--json` has all of them. */
const shownProblems = 20

/** Makes a report of anything that was thrown. */
export async function reportOf(error: unknown, signal?: AbortSignal): Promise<ErrorReport> {
  if (error instanceof CliError) {
    const { code, message, exitCode, hint, details } = error
    return {
      code,
      message,
      exitCode,
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    }
  }
  // Imported here, because only a failed run needs it.
  const { isBackupError } = await import('@stowage/backup-core')
  if (isBackupError(error)) {
    const { code, details } = error
    const message = inCommandNames(error.message)
    const hint = hints[code]
    const reason: unknown = signal?.reason
    const exitCode = code === 'ABORTED' && reason instanceof SignalAbort ? reason.exitCode : exitCodeOf(code)
    return {
      code,
      message,
      exitCode,
      ...(hint === undefined ? {} : { hint }),
      ...(Object.keys(details).length === 0 ? {} : { details: detailsInCommandNames(details) }),
    }
  }
  return foreignReport(error)
}

function detailsInCommandNames(details: BackupErrorDetails): object {
  const { problems } = details
  if (!problems) return details
  return {
    ...details,
    problems: problems.map((problem) => ({ ...problem, message: inCommandNames(problem.message) })),
  }
}

function foreignReport(error: unknown): ErrorReport {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  return { code: code ?? 'UNEXPECTED', message, exitCode: exitCodes.failed }
}

/** Formats a report as text. Problems that are listed are left out of the message above. */
export function errorText(report: ErrorReport): string {
  const { problems = [], leftovers = [] } = (report.details ?? {}) as {
    readonly problems?: readonly { readonly code: string; readonly message: string }[]
    readonly leftovers?: readonly string[]
  }
  const message = problems.length > 1 ? withoutProblems(report.message, problems) : report.message
  const unsaid = problems.filter((problem) => !message.includes(problem.message))
  const lines = [
    `stowage: ${message}`,
    ...cut(unsaid.map((problem) => `  - ${problem.message} (${problem.code})`)),
    ...cut(leftovers.filter((name) => !message.includes(name)).map((name) => `  - left behind: ${name}`)),
  ]
  if (report.hint !== undefined) lines.push(`  hint: ${report.hint}`)
  lines.push(`  code: ${report.code}`)
  return `${lines.map(printable).join('\n')}\n`
}

/** `Backup X has 3 fault(s): one; two; three. Make …` without the problems, which follow as a list. */
function withoutProblems(message: string, problems: readonly { readonly message: string }[]): string {
  const start = message.indexOf(`: ${problems[0]?.message ?? ''}; `)
  if (start < 0) return message
  let end = start
  for (const { message: problem } of problems) {
    const at = message.indexOf(problem, end)
    if (at < 0) break
    end = at + problem.length
  }
  return message.slice(0, start) + message.slice(end).replace(/^ \(and \d+ more\)/, '')
}

function cut(lines: readonly string[]): string[] {
  const more = lines.length - shownProblems
  return more <= 0 ? [...lines] : [...lines.slice(0, shownProblems), `  - and ${String(more)} more`]
}

/** Formats a report as JSON: `{"error":{"code":…,"message":…}}`. */
export function errorJson({ code, message, hint, exitCode, details }: ErrorReport): string {
  return `${printableJson({ error: { code, message, exitCode, hint, ...details } })}\n`
}

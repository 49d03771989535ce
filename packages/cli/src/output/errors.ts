import { CliError } from '../cli-error.js'
import { exitCodeOf, exitCodes } from '../exit-codes.js'
import type { ExitCode } from '../exit-codes.js'
import { SignalAbort } from '../signals.js'
import { printable, printableJson } from './printable.js'

/** A failure in the form that is shown: as text, or as the `error` of `--json`. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly exitCode: ExitCode
  /** What the engine knows beside: `backupId`, `objectName`, `problems`, `leftovers` … */
  readonly details?: object
}

/** What to type next, in the words of this command. The engine's own messages know nothing of options. */
const hints: Readonly<Record<string, string>> = {
  BACKUP_NOT_FOUND: '`stowage list` names the backups of the store.',
  HAS_DEPENDENTS: 'Add --with-descendants to delete them too.',
  DEPENDENTS_UNKNOWN: 'Repair what cannot be read, or add --force to ignore it.',
  TARGET_NOT_EMPTY: 'Add --overwrite to write over what it holds.',
  BACKUP_EXISTS: 'Leave --backup-id out, and a new id is chosen.',
  BLOCK_SIZE_CHANGED: 'Leave --block-size out to keep the one of the parent, or make a full backup.',
  SOURCE_EMPTY: 'Add --allow-empty if the volume is empty.',
  SOURCE_SHRANK: 'Add --allow-shrink if the volume was made smaller, or make a full backup.',
  VERIFY_FAILED: 'Make a new full backup while the volume is still there.',
}

/** How many of many faults are for people to read; `--json` has them all. */
const shownProblems = 20

/** Puts whatever was thrown into words. */
export async function reportOf(error: unknown, signal?: AbortSignal): Promise<ErrorReport> {
  if (error instanceof CliError) {
    const { code, message, exitCode, hint } = error
    return { code, message, exitCode, ...(hint === undefined ? {} : { hint }) }
  }
  // Imported here, since a run that ends well needs none of it.
  const { isBackupError } = await import('@stowage/backup-core')
  if (isBackupError(error)) {
    const { code, details } = error
    const message = inOptionsOfTheCommand(error.message)
    const hint = hints[code]
    const reason: unknown = signal?.reason
    const exitCode = code === 'ABORTED' && reason instanceof SignalAbort ? reason.exitCode : exitCodeOf(code)
    return {
      code,
      message,
      exitCode,
      ...(hint === undefined ? {} : { hint }),
      ...(Object.keys(details).length === 0 ? {} : { details }),
    }
  }
  return foreignReport(error)
}

/** What the engine calls an option, and what it is called on the command line. */
const optionNames: Readonly<Record<string, string>> = {
  blockSizeBytes: '--block-size',
  chunkSizeBytes: '--chunk-size',
  joinGapBytes: '--join-gap',
  maxMemoryBytes: '--max-memory',
  olderThanMs: '--older-than',
  removeOrphans: 'stowage gc',
  withDescendants: '--with-descendants',
}

function inOptionsOfTheCommand(message: string): string {
  return message
    .replace(/\b[a-z]+[A-Z]\w*\b/g, (name) => optionNames[name] ?? name)
    .replaceAll('`force`', '`--force`')
}

function foreignReport(error: unknown): ErrorReport {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  return { code: code ?? 'UNEXPECTED', message, exitCode: exitCodes.failed }
}

/** The lines for a person. */
export function errorText(report: ErrorReport): string {
  const lines = [`stowage: ${report.message}`, ...problemLines(report.details)]
  if (report.hint !== undefined) lines.push(`  hint: ${report.hint}`)
  lines.push(`  code: ${report.code}`)
  return `${lines.map(printable).join('\n')}\n`
}

function problemLines(details: object | undefined): string[] {
  const { problems = [], leftovers = [] } = (details ?? {}) as {
    readonly problems?: readonly { readonly code: string; readonly message: string }[]
    readonly leftovers?: readonly string[]
  }
  return [
    ...cut(problems.map(({ code, message }) => `  - ${message} (${code})`)),
    ...cut(leftovers.map((name) => `  - left behind: ${name}`)),
  ]
}

function cut(lines: readonly string[]): string[] {
  const more = lines.length - shownProblems
  return more <= 0 ? [...lines] : [...lines.slice(0, shownProblems), `  - and ${String(more)} more`]
}

/** The line for a program: `{"error":{"code":…,"message":…}}`. */
export function errorJson({ code, message, hint, exitCode, details }: ErrorReport): string {
  return `${printableJson({ error: { code, message, exitCode, hint, ...details } })}\n`
}

import { CommanderError } from 'commander'
import type { Command } from 'commander'
import type { ChosenStore } from './backends/choose-store.js'
import { addBackendOptions, isHelpRequested, storeUrlOn } from './backends/command-line-backend.js'
import { foreignFlag } from './backends/foreign-flag.js'
import { CliError } from './cli-error.js'
import type { CommandContext } from './command-context.js'
import type { Config } from './config/config.js'
import { loadConfig } from './config/load-config.js'
import { exitCodes } from './exit-codes.js'
import type { CliIo } from './io.js'
import type { GlobalOptions } from './options/global-options.js'
import { errorJson, errorText, reportOf } from './output/errors.js'
import { printableLines } from './output/printable.js'
import { Output } from './output/output.js'
import { buildProgram } from './program.js'
import { usageError } from './usage-error.js'
import { SignalAbort } from './signals.js'
import { parseStoreUrl } from './store-url.js'

/**
 * Runs the command line `stowage ...argv` and resolves to its exit code. Never rejects; does not change the process's
 * streams, signals or exit code.
 *
 * @param argv the arguments after the command's own name
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const signal = io.signal ?? new AbortController().signal
  let asJson = isJsonRequested(argv, io.env)
  const program = buildProgram(io, async (globals, work) => {
    asJson = globals.json ?? false
    await run(globals, work, io, signal)
  })
  let backendError: unknown
  let config: Config | undefined
  program.hook('preAction', () => {
    if (backendError !== undefined) throw backendError as Error
  })
  try {
    config = await loadConfig(program, argv, io.env).catch((error: unknown) => {
      if (isHelpRequested(program, argv)) return undefined
      throw error
    })
    backendError = await addBackendOptions(program, argv, io.env, config)
    await parse(program, argv)
    await flush(io)
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      // `stowage` without arguments prints the help.
      if (error.code === 'commander.help') return exitCodes.usage
    }
    const report = await reportOf(
      error instanceof CommanderError
        ? await parseError(error, program, argv, io, { backendError, config })
        : error,
      signal,
    )
    io.stderr.write(asJson ? errorJson(report) : errorText(report))
    if (io.env['STOWAGE_DEBUG'] === '1' && error instanceof Error)
      io.stderr.write(`${printableLines(causes(error))}\n`)
    return report.exitCode
  }
}

/** The error of a command line that cannot be parsed. The options that it may have depend on the backend. */
async function parseError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
  { env }: CliIo,
  { backendError, config }: { readonly backendError: unknown; readonly config: Config | undefined },
): Promise<unknown> {
  if (error.code !== 'commander.unknownOption') return usageError(error, program, argv)
  if (backendError !== undefined) return backendError
  return (
    foreignFlag(error.message, await storeUrlOn(program, argv, env, config)) ??
    usageError(error, program, argv)
  )
}

/** Runs the command line. Help and version are a success that commander throws. */
async function parse(program: Command, argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return
    throw error
  }
}

/** Waits until the result is written to stdout. A reader that closed the pipe early, as `head` does, is not an error. */
async function flush({ stdout }: CliIo): Promise<void> {
  try {
    await stdout.flush?.()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EPIPE') return
    throw new CliError('OUTPUT_FAILED', `The result cannot be written to stdout: ${message}`, {
      exitCode: exitCodes.failed,
      hint: 'The command itself succeeded. Send its output to a file or device with free space.',
      cause,
    })
  }
}

async function run(
  globals: GlobalOptions,
  work: (context: CommandContext) => Promise<void>,
  io: CliIo,
  signal: AbortSignal,
): Promise<void> {
  const output = new Output(io, { json: globals.json ?? false, quiet: globals.quiet ?? false })
  const onAbort = (): void => {
    output.endProgress()
    if (signal.reason instanceof SignalAbort) {
      output.note('stopping and cleaning up; a second signal ends it immediately')
    }
  }
  signal.addEventListener('abort', onAbort, { once: true })
  output.startWaiting()
  const withStoreOf: CommandContext['withStoreOf'] = async (options, use, settings = {}) => {
    const store = await chosenStore(options, io.env)
    const { withStore } = await import('./store.js')
    return withStore(store, options, settings, io.env, output, use)
  }
  try {
    await work({
      io,
      output,
      signal,
      globals,
      checkStore: async () => {
        await chosenStore(globals, io.env)
      },
      withStore: (use, settings) => withStoreOf(globals, use, settings),
      withStoreOf,
    })
  } finally {
    output.endProgress()
    signal.removeEventListener('abort', onAbort)
  }
}

async function chosenStore(globals: GlobalOptions, env: CliIo['env']): Promise<ChosenStore> {
  // A missing or malformed URL must not cost the time to load the engine.
  parseStoreUrl(globals.store)
  const { chooseStore } = await import('./store.js')
  return chooseStore(globals, env)
}

/** Whether `--json` is set, for a command line that could not be parsed. */
export function isJsonRequested(argv: readonly string[], env: CliIo['env']): boolean {
  const end = argv.indexOf('--')
  const isSet = ['1', 'true', 'yes', 'on'].includes((env['STOWAGE_JSON'] ?? '').toLowerCase())
  return isSet || argv.slice(0, end < 0 ? undefined : end).includes('--json')
}

/** The stacks of an error and its causes, for debugging Stowage. */
function causes(error: Error): string {
  const inner = error.cause instanceof Error ? `\ncaused by ${causes(error.cause)}` : ''
  return (error.stack ?? error.message) + inner
}

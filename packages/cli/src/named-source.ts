import type { Command } from 'commander'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** What to back up, from the command line. */
export type SourceName =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

const commandExample = 'For example: stowage backup --stdin-from-command --volume-id vm -- gzip -dc vm.img.gz'

/** All arguments of the run, as they were typed. */
export function rawArgumentsOf(command: Command): readonly string[] {
  let top = command
  while (top.parent) top = top.parent
  // Commander has them, but not in its types.
  return (top as Command & { readonly rawArgs: readonly string[] }).rawArgs
}

/**
 * The SOURCE, or the command after `--`.
 *
 * @param operands - the arguments that are not options, also those after `--`
 * @throws CliError `USAGE` for more than one source, or for both a source and a command
 */
export function namedSource(
  operands: readonly string[],
  { stdinFromCommand = false }: { readonly stdinFromCommand?: boolean },
  rawArguments: readonly string[],
): SourceName {
  const [path = '', ...more] = operands
  if (!stdinFromCommand) {
    if (more.length === 0) return { kind: 'path', path }
    throw usage(
      `Expected one source, got ${String(operands.length)}: ${operands.join(' ')}`,
      'To back up what a command writes: --stdin-from-command -- COMMAND ARGUMENTS.',
    )
  }
  const separator = rawArguments.indexOf('--')
  const afterSeparator = separator < 0 ? 0 : rawArguments.length - separator - 1
  if (afterSeparator === operands.length) return { kind: 'command', command: operands }
  throw usage(
    separator < 0
      ? '--stdin-from-command needs -- before the command.'
      : `--stdin-from-command takes no source: found ${path}.`,
    commandExample,
  )
}

/** The error for `--stdin-from-command` without a command. */
export function noCommand(): CliError {
  return usage('--stdin-from-command needs a command, after --.', commandExample)
}

function usage(message: string, hint: string): CliError {
  return new CliError('USAGE', message, { exitCode: exitCodes.usage, hint })
}

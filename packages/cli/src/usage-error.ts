import type { Command, CommanderError } from 'commander'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import { noCommand } from './named-source.js'

/** The error for a command line that cannot be parsed, with a hint at the help of the command that was meant. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): CliError {
  // Commander misses the source that a command stands in for.
  if (error.code === 'commander.missingArgument' && argv.includes('--stdin-from-command')) return noCommand()
  const command = commandOf(program, argv)
  return new CliError('USAGE', error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), {
    exitCode: exitCodes.usage,
    hint: command === undefined ? 'See stowage --help' : `See stowage ${command} --help`,
  })
}

/** The command that a command line names; undefined where it names none, or one that does not exist. */
function commandOf(program: Command, argv: readonly string[]): string | undefined {
  const takesValue = new Set(
    program.options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]),
  )
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (!word.startsWith('-')) return program.commands.find((one) => one.name() === word)?.name()
    // The value of an option before the command is not the command.
    if (takesValue.has(word)) index += 1
  }
  return undefined
}

import { Command, Help } from 'commander'
import type { Invoke } from './command-context.js'
import { addBackupCommand } from './commands/backup.js'
import { addCopyCommand } from './commands/copy.js'
import { addDeleteCommand } from './commands/delete.js'
import { addExportCommand } from './commands/export.js'
import { addGcCommand } from './commands/gc.js'
import { addImportCommand } from './commands/import.js'
import { addInitCommand } from './commands/init.js'
import { addListCommand } from './commands/list.js'
import { addRestoreCommand } from './commands/restore.js'
import { addShowCommand } from './commands/show.js'
import { addVerifyCommand } from './commands/verify.js'
import { exitCodesHelp } from './exit-codes.js'
import { widthOf } from './io.js'
import type { CliIo } from './io.js'
import { globalOptions } from './options/global-options.js'
import { applyEnvironment } from './options/option.js'
import { sizeSyntax } from './sizes.js'
import { version } from './version.js'

const examples = `
Examples:
  $ stowage init --store posix:/backups
  $ stowage backup disk.img --store posix:/backups
  $ stowage backup disk.img --store posix:/backups --incremental
  $ stowage list --store posix:/backups
  $ stowage restore BACKUP_ID restored.img --store posix:/backups

Sizes: ${sizeSyntax}.
An option with [env: NAME] may be set in the environment; the command line wins.

${exitCodesHelp}
`

/** Defines the command line. The module of each command is imported when the command is run. */
export function buildProgram(io: CliIo, invoke: Invoke): Command {
  const program = new Command('stowage')
    .description('Chunked, incremental, verified backups of disk images and block devices.')
    .version(version)
    // Set before the commands are added, which inherit it: only main ends the process and writes errors.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => widthOf(io.stdout, 100),
      getErrHelpWidth: () => widthOf(io.stderr, 100),
    })
    .configureHelp({
      showGlobalOptions: true,
      // A list, because a command and its arguments may follow `--`.
      subcommandTerm: (command) => new Help().subcommandTerm(command).replace('<source...>', '<source>'),
    })
    .addHelpText('after', examples)
    .hook('preAction', (_program, command) => {
      applyEnvironment(command, io.env)
    })
  for (const option of globalOptions()) program.addOption(option)
  addInitCommand(program, invoke)
  addBackupCommand(program, invoke)
  addRestoreCommand(program, invoke)
  addListCommand(program, invoke)
  addShowCommand(program, invoke)
  addVerifyCommand(program, invoke)
  addCopyCommand(program, invoke)
  addDeleteCommand(program, invoke)
  addGcCommand(program, invoke)
  addExportCommand(program, invoke)
  addImportCommand(program, invoke)
  return program
}

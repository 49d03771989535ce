import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { printableJson } from '../output/printable.js'
import { recordFileOf } from '../record-file.js'

/** `stowage export` */
export function addExportCommand(program: Command, invoke: Invoke): void {
  program
    .command('export')
    .description("Print a backup's record for `cinder backup-import` or `stowage import`. Always JSON.")
    .argument('<backup-id>', 'the id, or at least 4 characters of its beginning')
    .addHelpText('after', '\nExamples:\n  $ stowage export 7a1c --store posix:/backups > record.json')
    .action(async (backupId: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      await invoke(options, async ({ withStore, output, signal, io }) => {
        // The record is the result, also with --quiet.
        if (io.stdout.isDiscarded?.() === true) throw outputClosed()
        const { resolveBackup } = await import('../resolve-backup.js')
        const exported = await withStore(async (driver) => {
          const record = await resolveBackup(driver, backupId, signal)
          return driver.exportRecord(record, { signal })
        })
        const json = recordFileOf(exported)
        const text = `${printableJson(json, 2)}\n`
        output.result({ json, human: text, quiet: text })
      })
    })
}

function outputClosed(): CliError {
  return new CliError('OUTPUT_FAILED', 'The record cannot be printed: stdout is closed.', {
    exitCode: exitCodes.failed,
    hint: 'Send it to a file: stowage export BACKUP_ID > record.json',
  })
}

import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { viewOf } from '../output/backup-view.js'
import { readRecordFile } from '../read-record-file.js'
import { parseRecordFile } from '../record-file.js'

/** `stowage import` */
export function addImportCommand(program: Command, invoke: Invoke): void {
  program
    .command('import')
    .description("Import a backup's record from `stowage export` or `cinder backup-export`.")
    .argument('<file>', 'a JSON file with backup_service and backup_url, or a pipe; - for stdin')
    .addHelpText('after', '\nExamples:\n  $ stowage import record.json --store posix:/backups')
    .action(async (file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      await invoke(options, async ({ withStore, output, signal, io }) => {
        const content = await readRecordFile(file, io, signal)
        const exported = parseRecordFile(content, file === '-' ? 'stdin' : file)
        const record = await withStore((driver) => driver.importRecord(exported, { signal }))
        output.result({
          json: viewOf(record),
          human: `Imported ${record.id} of volume ${record.volumeId}.\n`,
          quiet: `${record.id}\n`,
        })
      })
    })
}

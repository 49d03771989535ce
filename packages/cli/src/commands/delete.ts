import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { countOf } from '../sizes.js'

interface DeleteCommandOptions extends GlobalOptions {
  readonly withDescendants?: boolean
  readonly force?: boolean
}

const examples = `
Run an interrupted delete again to finish it. --force does not delete a backup if a readable incremental depends on it.

Examples:
  $ stowage delete 7a1c43b0-4c0d-4d4e-9a43-1f1d0a0c6c55 --store posix:/backups`

/** `stowage delete` */
export function addDeleteCommand(program: Command, invoke: Invoke): void {
  program
    .command('delete')
    .description('Delete a backup. Rejected while an incremental depends on it.')
    .argument('<backup-id>', 'the complete id')
    .option('--with-descendants', 'also delete the backups that depend on it')
    .option(
      '--force',
      'also delete damaged and partly deleted backups, and ignore unreadable metadata of others',
    )
    .addHelpText('after', examples)
    .action(async (backupId: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DeleteCommandOptions>()
      await invoke(options, async ({ withStore, output, signal }) => {
        const { deleted, objectsDeleted } = await withStore(async (driver) => {
          const onProgress = output.startProgress()
          try {
            return await driver.deleteBackup(backupId, {
              withDescendants: options.withDescendants ?? false,
              force: options.force ?? false,
              signal,
              ...(onProgress ? { onProgress } : {}),
            })
          } catch (error) {
            const { completeIdRequired } = await import('../resolve-backup.js')
            throw await completeIdRequired(driver, backupId, signal, error)
          }
        })
        output.result({
          json: { deleted, objectsDeleted },
          human: `Deleted ${deleted.join(', ')}: ${countOf(objectsDeleted, 'object')}.\n`,
          quiet: deleted.map((id) => `${id}\n`).join(''),
        })
      })
    })
}

import type { VolumeExtent } from '@stowage/backup-core'
import type { Command } from 'commander'
import { CliError } from '../cli-error.js'
import type { Invoke } from '../command-context.js'
import { exitCodes } from '../exit-codes.js'
import type { GlobalOptions } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { formatDuration } from '../output/duration.js'
import { countOf, formatSize, parseRange } from '../sizes.js'

interface RestoreCommandOptions extends GlobalOptions {
  readonly overwrite?: boolean
  readonly range?: VolumeExtent
}

const examples = `
Data is verified before it is written: each object against its length and MD5, or, if only ranges of it are needed, these
against their block hashes. A target that has data is rejected without --overwrite; one that is too small or mounted always.

Examples:
  $ stowage restore 7a1c restored.img --store posix:/backups
  $ stowage restore 7a1c /dev/vdb --store posix:/backups --overwrite
  $ stowage restore 7a1c part.img --store posix:/backups --range 1M:512K`

/** `stowage restore` */
export function addRestoreCommand(program: Command, invoke: Invoke): void {
  program
    .command('restore')
    .description('Restore a backup into a file or onto a block device.')
    .argument('<backup-id>', 'the id, or at least 4 characters of its beginning')
    .argument('<target>', 'a file, which is created if it does not exist, or a block device')
    .option('--overwrite', 'overwrite the data of the target')
    .addOption(
      new CliOption('--range <offset:length>', 'restore only these bytes, at their own offset', {
        parse: parseRange,
      }),
    )
    .addHelpText('after', examples)
    .action(async (backupId: string, target: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<RestoreCommandOptions>()
      await invoke(options, async ({ withStore, output, signal }) => {
        if (target === '-') {
          throw new CliError('USAGE', 'Cannot restore to stdout: a restore writes at any offset.', {
            exitCode: exitCodes.usage,
            hint: 'Name a file or a block device.',
          })
        }
        const { resolveBackup } = await import('../resolve-backup.js')
        const { fileVolume } = await import('@stowage/backup-core')
        const startMs = output.nowMs()
        const result = await withStore(async (driver) => {
          const record = await resolveBackup(driver, backupId, signal)
          const onProgress = output.startProgress()
          return driver.restore(record, fileVolume(target, { create: true }), {
            overwrite: options.overwrite ?? false,
            ...(options.range ? { range: options.range } : {}),
            signal,
            ...(onProgress ? { onProgress } : {}),
          })
        })
        const elapsedMs = Math.round(output.nowMs() - startMs)
        const { writtenBytes, sparseBytes, objectsFetched, sizeBytes } = result
        output.result({
          json: { ...result, target, elapsedMs },
          human:
            `Restored ${result.backupId} to ${target}: ${formatSize(writtenBytes)} written, ` +
            `${formatSize(sparseBytes)} left as holes, of a volume of ${formatSize(sizeBytes)}; ` +
            `${countOf(objectsFetched, 'object')}, in ${formatDuration(elapsedMs)}.\n`,
        })
      })
    })
}

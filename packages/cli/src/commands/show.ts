import type { BackupRecord } from '@stowage/backup-core'
import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { noteDiscarded } from '../output/discarded.js'
import { shownSize, storedText, viewOf } from '../output/backup-view.js'
import { compressionText, unknownToCinder } from '../output/compressions.js'
import { localTime } from '../output/local-time.js'
import { fields } from '../output/table.js'
import { formatSize } from '../sizes.js'

/** `stowage show` */
export function addShowCommand(program: Command, invoke: Invoke): void {
  program
    .command('show')
    .description('Show one backup, its chain and its dependents.')
    .argument('<backup-id>', 'the id, or at least 4 characters of its beginning')
    .addHelpText('after', '\nExamples:\n  $ stowage show 7a1c --store posix:/backups')
    .action(async (backupId: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      await invoke(options, async ({ withStore, output, signal, io }) => {
        noteDiscarded(output, io)
        const { resolveBackup } = await import('../resolve-backup.js')
        const { record, chain, dependents } = await withStore(async (driver) => {
          const found = await resolveBackup(driver, backupId, signal)
          const ofVolume = await driver.listBackups({ volumeId: found.volumeId, signal })
          return {
            record: found,
            chain: await driver.getChain(found, { signal }),
            dependents: ofVolume.filter(({ parentId }) => parentId === found.id).map(({ id }) => id),
          }
        })
        output.result({
          json: {
            ...viewOf(record),
            cinderRestores: unknownToCinder(chain).length === 0,
            chain: chain.map(({ id }) => id),
            dependents,
          },
          human: description(record, chain, dependents),
          quiet: `${record.id}\n`,
        })
      })
    })
}

function description(
  record: BackupRecord,
  chain: readonly BackupRecord[],
  dependents: readonly string[],
): string {
  return fields([
    ['backup', record.id],
    ['kind', record.parentId === null ? 'full' : `incremental on ${record.parentId}`],
    ['volume', record.volumeId],
    ['size', `${shownSize(record)} (${String(record.sizeBytes)} bytes)`],
    ['stored', storedText(record)],
    ['chunk size', sizeOrNull(record.chunkSizeBytes)],
    ['block size', sizeOrNull(record.blockSizeBytes)],
    ['compression', compressionText(record, chain)],
    ['created', localTime(record.createdAt)],
    ['name', record.name],
    ['description', record.description],
    ['container', record.container],
    ['prefix', record.prefix],
    [
      'chain',
      chain.length > 1 ? `${String(chain.length)} backups: ${chain.map(({ id }) => id).join(' on ')}` : null,
    ],
    ['dependents', dependents.length > 0 ? dependents.join(', ') : null],
  ])
}

function sizeOrNull(bytes: number | undefined): string | null {
  return bytes === undefined ? null : formatSize(bytes)
}

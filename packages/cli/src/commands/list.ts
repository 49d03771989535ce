import type { BackupRecord } from '@stowage/backup-core'
import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { noteDiscarded } from '../output/discarded.js'
import { shownSize, shownStored, viewOf } from '../output/backup-view.js'
import { unknownInChain } from '../output/compressions.js'
import { localTime } from '../output/local-time.js'
import { table } from '../output/table.js'
import { summariseVolumes, volumeTable } from '../output/volume-summary.js'

interface ListOptions extends GlobalOptions {
  readonly volumeId?: string
  readonly container?: string
  readonly volumes?: boolean
}

/** `stowage list` */
export function addListCommand(program: Command, invoke: Invoke): void {
  program
    .command('list')
    .description('List the backups of a store, oldest first.')
    .option('--volume-id <id>', 'only those of this volume')
    .option('--container <name>', 'only those in this container')
    .option('--volumes', 'one line per volume, with a summary of its backups')
    .addHelpText(
      'after',
      '\nExamples:\n  $ stowage list --store posix:/backups --json\n  $ stowage list --store posix:/backups --volumes',
    )
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>()
      await invoke(options, async ({ withStore, output, signal, io }) => {
        noteDiscarded(output, io)
        const { volumeId, container, volumes = false } = options
        const filter = {
          signal,
          ...(volumeId === undefined ? {} : { volumeId }),
          ...(container === undefined ? {} : { container }),
        }
        const records = await withStore((driver) => driver.listBackups(filter))
        const orphaned = output.warnedOf('PARENT_MISSING')
        const none = `${noneText(options)}\n`
        if (volumes) {
          const summaries = summariseVolumes(records, orphaned)
          output.result({
            json: summaries,
            human: summaries.length === 0 ? none : await volumeTable(summaries),
            quiet: summaries.map((summary) => `${summary.volumeId}\n`).join(''),
          })
          return
        }
        output.result({
          json: listJson(records, orphaned),
          human: records.length === 0 ? none : await listTable(records, orphaned),
          quiet: records.map(({ id }) => `${id}\n`).join(''),
        })
      })
    })
}

/** A store that could not be searched completely is not reported as empty. */
function noneText({ store = '', volumeId, container }: ListOptions): string {
  const ofVolume = volumeId === undefined ? '' : ` of volume ${volumeId}`
  const inContainer = container === undefined ? '' : ` container ${container} of`
  return `No backups${ofVolume} in${inContainer} ${store}.`
}

/** @param orphaned - ids of backups whose parent was not found */
function listJson(records: readonly BackupRecord[], orphaned: ReadonlySet<string>): object[] {
  const byId = new Map(records.map((record) => [record.id, record]))
  return records.map((record) => ({
    ...viewOf(record),
    parentMissing: orphaned.has(record.id),
    cinderRestores: unknownInChain(record, byId).length === 0,
  }))
}

async function listTable(records: readonly BackupRecord[], orphaned: ReadonlySet<string>): Promise<string> {
  const byId = new Map(records.map((record) => [record.id, record]))
  const foreign = new Map(records.map((record) => [record.id, unknownInChain(record, byId).join(', ')]))
  const someForeign = [...foreign.values()].some((words) => words !== '')
  return table(
    [
      { title: 'BACKUP', value: ({ id }: BackupRecord) => id },
      { title: 'CREATED', value: ({ createdAt }) => localTime(createdAt) },
      { title: 'KIND', value: (record) => kindOf(record, orphaned) },
      { title: 'SIZE', value: shownSize, align: 'right' },
      { title: 'STORED', value: shownStored, align: 'right' },
      { title: 'OBJECTS', value: ({ objectCount }) => String(objectCount), align: 'right' },
      { title: 'COMPRESSION', value: ({ compressions = [] }) => compressions.join(',') },
      ...(someForeign
        ? [{ title: 'NOT FOR CINDER', value: ({ id }: BackupRecord) => foreign.get(id) ?? '' }]
        : []),
      { title: 'VOLUME', value: ({ volumeId }) => volumeId },
      { title: 'NAME', value: ({ name }) => name ?? '' },
    ],
    records,
  )
}

function kindOf({ id, parentId }: BackupRecord, orphaned: ReadonlySet<string>): string {
  if (parentId === null) return 'full'
  return orphaned.has(id) ? 'incremental, parent missing' : 'incremental'
}

import type { Orphan } from '@stowage/backup-core'
import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import { parseAge } from '../durations.js'
import type { GlobalOptions } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { localTime } from '../output/local-time.js'
import { table } from '../output/table.js'
import { countOf } from '../sizes.js'

interface GcCommandOptions extends GlobalOptions {
  readonly olderThan?: number
  readonly dryRun?: boolean
}

const defaultOlderThanMs = 24 * 60 * 60 * 1000

const help = `
A killed backup leaves objects, a claim to its id, and temporary files, which are removed. A killed delete leaves a marker:
the delete is finished, or rolled back if an incremental depends on the backup. Backups with metadata, readable or not,
are never changed.

A running backup has no metadata yet. Only the age of its newest object distinguishes it from a killed one: choose an
age longer than any backup takes between two objects. Use --older-than 0 only while no backup or delete is running.

Examples:
  $ stowage gc --store posix:/backups --dry-run
  $ stowage gc --store posix:/backups --older-than 7d`

/** `stowage gc` */
export function addGcCommand(program: Command, invoke: Invoke): void {
  program
    .command('gc')
    .description('Remove the orphans of killed backups and deletes.')
    .addOption(
      new CliOption('--older-than <age>', 'keep orphans that are younger (default: 24h)', {
        parse: parseAge,
      }),
    )
    .option('--dry-run', 'show the orphans, and remove nothing')
    .addHelpText('after', help)
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GcCommandOptions>()
      const { olderThan: olderThanMs = defaultOlderThanMs, dryRun = false } = options
      await invoke(options, async ({ withStore, output, signal }) => {
        const { orphans, objectsRemoved } = await withStore((driver) =>
          driver.removeOrphans({ olderThanMs, dryRun, signal }),
        )
        const summary = dryRun
          ? `A dry run: nothing was removed.\n`
          : `Removed ${countOf(objectsRemoved, 'object')}.\n`
        output.result({
          json: { dryRun, olderThanMs, objectsRemoved, orphans },
          human:
            orphans.length === 0
              ? `No orphans in ${options.store ?? ''}.\n`
              : `${await orphanTable(orphans)}${summary}`,
          quiet: orphans
            .filter(({ outcome }) => outcome !== 'kept')
            .map(({ name }) => `${name}\n`)
            .join(''),
        })
      })
    })
}

async function orphanTable(orphans: readonly Orphan[]): Promise<string> {
  return table(
    [
      { title: 'KIND', value: ({ kind }: Orphan) => kind },
      { title: 'OBJECTS', value: ({ objectCount }) => String(objectCount), align: 'right' },
      {
        title: 'NEWEST',
        value: ({ modifiedAt }) => (modifiedAt === null ? '?' : localTime(modifiedAt)),
      },
      {
        title: 'OUTCOME',
        value: ({ outcome, reason }) => (reason === undefined ? outcome : `${outcome}: ${reason}`),
      },
      { title: 'CONTAINER', value: ({ container }) => container },
      { title: 'NAME', value: ({ name }) => name },
    ],
    orphans,
  )
}

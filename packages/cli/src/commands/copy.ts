import type { BackupRecord, ChunkedBackupDriver, CopiedBackup } from '@stowage/backup-core'
import type { Command } from 'commander'
import { CliError } from '../cli-error.js'
import type { CommandContext, Invoke } from '../command-context.js'
import { exitCodes } from '../exit-codes.js'
import type { GlobalOptions } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { shownSize, shownStored, viewOf } from '../output/backup-view.js'
import { formatDuration } from '../output/duration.js'
import { localTime } from '../output/local-time.js'
import { table } from '../output/table.js'
import { countOf, formatSize } from '../sizes.js'

interface CopyCommandOptions extends GlobalOptions {
  readonly to?: string
  /** The options of the backend of `--to`, where the configuration has others than for `--store`. */
  readonly targetOptions?: Readonly<Record<string, unknown>>
  readonly all?: boolean
  readonly since?: Date
  readonly volumeId?: string
  readonly container?: string
  readonly dryRun?: boolean
  readonly verify?: boolean
  readonly create?: boolean
}

const help = `
A backup is copied with its chain, the full backup first. Objects are copied as they are stored, and verified on the way;
Cinder restores the copies. What the other store has already is skipped. A copy that was killed or failed is
continued by running it again: objects that were stored are not sent again.

The other options (--os-cloud, --cinder-conf, --max-memory, …) apply to both stores. Stores that need different ones are named in
the configuration file, where each has its own.

Examples:
  $ stowage copy 7a1c --store posix:/backups --to swift://offsite
  $ stowage copy --all --store posix:/backups --to swift://offsite
  $ stowage copy --all --since 2026-01-01 --dry-run --store posix:/backups --to swift://offsite`

/** `stowage copy` */
export function addCopyCommand(program: Command, invoke: Invoke): void {
  program
    .command('copy')
    .description('Copy backups with their chains to another store.')
    .argument('[backup-id...]', 'the ids, or at least 4 characters of their beginning')
    .addOption(
      new CliOption('--to <store>', 'the other store: its URL, or its name in the configuration', {
        env: 'STOWAGE_COPY_TO',
      }),
    )
    .option('--all', 'copy every backup that the other store lacks')
    .addOption(
      new CliOption('--since <date>', 'with --all: only backups since then: 2026-01-01, 2026-01-01T12:00Z', {
        parse: parseDate,
      }),
    )
    .option('--volume-id <id>', 'with --all: only those of this volume')
    .option('--container <name>', 'the container of the copies (default: as of a backup)')
    .option('--no-verify', 'do not decompress objects to verify their content')
    .option('--create', 'create the other store if it does not exist')
    .option('--dry-run', 'show the backups that the other store lacks, and copy nothing')
    .addHelpText('after', help)
    .action(async (backupIds: readonly string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CopyCommandOptions>()
      const to = checkedTarget(options, backupIds)
      await invoke(options, async (context) => {
        const settings = { ...(options.create === true ? { create: true } : {}) }
        await context.withStore((from) =>
          context.withStoreOf(
            { ...options, ...options.targetOptions, store: to },
            (target) =>
              options.dryRun === true
                ? showMissing(context, from, target, backupIds, options)
                : copy(context, from, target, backupIds, options),
            settings,
          ),
        )
      })
    })
}

/** @returns the URL of the other store */
function checkedTarget(
  { to, all, since, volumeId }: CopyCommandOptions,
  backupIds: readonly string[],
): string {
  const problem =
    to === undefined
      ? 'Cannot copy: --to is not set.'
      : backupIds.length > 0 && all === true
        ? 'Cannot copy: give ids of backups, or --all, not both.'
        : backupIds.length === 0 && all !== true
          ? 'Cannot copy: no backup is named.'
          : all !== true && (since !== undefined || volumeId !== undefined)
            ? 'Cannot copy: --since and --volume-id need --all.'
            : undefined
  if (to !== undefined && problem === undefined) return to
  throw new CliError('USAGE', problem ?? '', {
    exitCode: exitCodes.usage,
    hint: 'Name backups by their ids, or all that the other store lacks: stowage copy --all --to URL.',
  })
}

function parseDate(text: string): Date {
  const date = new Date(text)
  if (/^\d{4}-\d\d-\d\d(?:[T ].*)?$/.test(text) && !Number.isNaN(date.getTime())) return date
  throw new RangeError(
    `"${text}" is not a date. Give one such as 2026-01-01, or a time such as 2026-01-01T12:00Z.`,
  )
}

function selectionOf({ volumeId, since }: CopyCommandOptions): { volumeId?: string; since?: Date } {
  return { ...(volumeId === undefined ? {} : { volumeId }), ...(since === undefined ? {} : { since }) }
}

async function copy(
  { output, signal }: CommandContext,
  from: ChunkedBackupDriver,
  to: ChunkedBackupDriver,
  backupIds: readonly string[],
  options: CopyCommandOptions,
): Promise<void> {
  const { copyBackup, copyBackups } = await import('@stowage/backup-core')
  const { resolveBackup } = await import('../resolve-backup.js')
  const startMs = output.nowMs()
  const copyOptions = (): object => {
    const onProgress = output.startProgress('the stores')
    return {
      signal,
      verify: options.verify ?? true,
      ...(options.container === undefined ? {} : { container: options.container }),
      ...(onProgress ? { onProgress } : {}),
    }
  }
  const copied = new Map<string, CopiedBackup>()
  const add = (backups: readonly CopiedBackup[]): void => {
    for (const backup of backups)
      if (copied.get(backup.record.id)?.outcome !== 'copied') copied.set(backup.record.id, backup)
  }
  if (options.all === true)
    add((await copyBackups(from, to, { ...copyOptions(), ...selectionOf(options) })).backups)
  // All of them are found before the first is copied.
  const records: BackupRecord[] = []
  for (const id of backupIds) records.push(await resolveBackup(from, id, signal))
  for (const record of records) add((await copyBackup(from, to, record, copyOptions())).backups)
  report(output, [...copied.values()], options.to ?? '', Math.round(output.nowMs() - startMs))
}

function report(
  output: CommandContext['output'],
  backups: readonly CopiedBackup[],
  url: string,
  elapsedMs: number,
): void {
  const copied = backups.filter(({ outcome }) => outcome === 'copied')
  const sum = (key: 'objectsCopied' | 'objectsKept' | 'transferredBytes'): number =>
    copied.reduce((total, backup) => total + backup[key], 0)
  const present = backups.length - copied.length
  const there = present === 0 ? '' : ` ${countOf(present, 'backup')} of the chains had been copied before.`
  const kept = sum('objectsKept') === 0 ? '' : `, ${countOf(sum('objectsKept'), 'object')} kept`
  output.result({
    json: {
      backups: backups.map(({ record, ...counts }) => ({ ...viewOf(record), ...counts })),
      ...{ objectsCopied: sum('objectsCopied'), objectsKept: sum('objectsKept') },
      ...{ transferredBytes: sum('transferredBytes'), elapsedMs },
    },
    human:
      copied.length === 0
        ? `Nothing to copy: ${url} has all of it.\n`
        : `Copied ${countOf(copied.length, 'backup')} to ${url}: ${countOf(sum('objectsCopied'), 'object')}${kept}, ` +
          `${formatSize(sum('transferredBytes'))}, in ${formatDuration(elapsedMs)}.${there}\n`,
    quiet: copied.map(({ record }) => `${record.id}\n`).join(''),
  })
}

async function showMissing(
  { output, signal }: CommandContext,
  from: ChunkedBackupDriver,
  to: ChunkedBackupDriver,
  backupIds: readonly string[],
  options: CopyCommandOptions,
): Promise<void> {
  const { diffStores } = await import('@stowage/backup-core')
  const { resolveBackup } = await import('../resolve-backup.js')
  const wanted = new Set<string>()
  for (const id of backupIds) {
    const chain = await from.getChain(await resolveBackup(from, id, signal), { signal })
    for (const record of chain) wanted.add(record.id)
  }
  const { missing, different } = await diffStores(from, to, { signal, ...selectionOf(options) })
  const isWanted = ({ id }: BackupRecord): boolean => options.all === true || wanted.has(id)
  const lacking = missing.filter(isWanted)
  const conflicting = different.filter(isWanted)
  for (const { id } of conflicting)
    output.note(`${options.to ?? ''} has a different backup with the id ${id}, which would be rejected.`)
  output.result({
    json: { dryRun: true, missing: lacking.map(viewOf), different: conflicting.map(viewOf) },
    human: lacking.length === 0 ? `${options.to ?? ''} lacks none of them.\n` : await missingTable(lacking),
    quiet: lacking.map(({ id }) => `${id}\n`).join(''),
  })
}

async function missingTable(records: readonly BackupRecord[]): Promise<string> {
  return table(
    [
      { title: 'BACKUP', value: ({ id }: BackupRecord) => id },
      { title: 'CREATED', value: ({ createdAt }) => localTime(createdAt) },
      { title: 'KIND', value: ({ parentId }) => (parentId === null ? 'full' : 'incremental') },
      { title: 'SIZE', value: shownSize, align: 'right' },
      { title: 'STORED', value: shownStored, align: 'right' },
      { title: 'VOLUME', value: ({ volumeId }) => volumeId },
    ],
    records,
  )
}

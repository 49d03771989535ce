import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import { cinderAlgorithms, defaultAlgorithm, parseAlgorithm, rawNames } from '../compression/algorithms.js'
import type { BackupCommandOptions } from '../options/backup-options.js'
import { parsePositiveSize } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { namedSource, rawArgumentsOf } from '../named-source.js'
import { parseSize } from '../sizes.js'

const algorithmNames = [...rawNames, ...cinderAlgorithms].join(', ')

const examples = `
Without --volume-id, the id of a file or device is the version 5 UUID (RFC 9562) of its file: URL, after resolving symbolic
links. If several machines share a store, give each volume a unique id.

Examples:
  $ stowage backup disk.img --store posix:/backups --incremental
  $ stowage backup /dev/vg0/snap --store posix:/backups --volume-id web-1 --compression zlib
  $ stowage backup --stdin-from-command --store posix:/backups --volume-id vm -- gzip -dc vm.img.gz
  $ ssh host cat /dev/vg0/snap | stowage backup - --store posix:/backups --volume-id vm --size 40G

A pipeline hides the failure of a program in it. --stdin-from-command detects it, and --size rejects a truncated stream.
qemu-img cannot convert to a pipe. Convert to a file first, or read the image through qemu-nbd with nbdcopy (libnbd):
  $ stowage backup --stdin-from-command --store posix:/backups --volume-id vm -- nbdcopy -- [ qemu-nbd -r -f qcow2 vm.qcow2 ] -`

/** `stowage backup` */
export function addBackupCommand(program: Command, invoke: Invoke): void {
  program
    .command('backup')
    .description('Back up a disk image, a block device or a stream.')
    .argument('<source...>', 'a file, a block device or a pipe; - for stdin')
    .usage(
      '[options] <source>\n       stowage backup [options] --stdin-from-command -- <command> [arguments]',
    )
    .addOption(
      new CliOption('--volume-id <id>', "the volume's id (default: derived from the path, see below)", {
        env: 'STOWAGE_VOLUME_ID',
      }),
    )
    .option('--backup-id <id>', "the backup's id (default: a new UUID)")
    .addOption(
      new CliOption(
        '--incremental',
        "add to the volume's newest intact backup; make a full backup if there is none",
        {
          env: 'STOWAGE_INCREMENTAL',
        },
      ).conflicts('parent'),
    )
    .option('--parent <id>', 'make an incremental on this backup')
    .addOption(
      new CliOption(
        '--compression <algorithm>',
        `the compression algorithm: ${algorithmNames}, or that of another installed package (default: ${defaultAlgorithm})`,
        { env: 'STOWAGE_COMPRESSION', parse: parseAlgorithm },
      ),
    )
    .addOption(
      new CliOption(
        '--chunk-size <size>',
        "the maximum bytes of the volume in an object (default: the store's)",
        {
          env: 'STOWAGE_CHUNK_SIZE',
          parse: parsePositiveSize,
        },
      ),
    )
    .addOption(
      new CliOption(
        '--block-size <size>',
        "the unit of change detection: a power of two, 512 to 64M (default: 32K, or the parent's)",
        {
          env: 'STOWAGE_BLOCK_SIZE',
          parse: parsePositiveSize,
        },
      ),
    )
    .addOption(
      new CliOption(
        '--join-gap <size>',
        'the maximum of unchanged bytes stored again so that scattered changes share objects, up to 2M; 0: one object per change, as in Cinder (default: 1M)',
        { env: 'STOWAGE_JOIN_GAP', parse: parseSize },
      ),
    )
    .addOption(
      new CliOption(
        '--holes <mode>',
        'skip the holes of a sparse file if Linux reports them, or read them (default: skip)',
        { env: 'STOWAGE_HOLES', choices: ['skip', 'read'] },
      ),
    )
    .option(
      '--stdin-from-command',
      'run a command and back up its stdout; the backup is kept only if the exit code is 0',
    )
    .addOption(
      new CliOption('--size <size>', 'the expected size of the source; any other size fails the backup', {
        parse: parseSize,
      }),
    )
    .option('--allow-empty', 'accept a source of 0 bytes')
    .option(
      '--allow-shrink',
      "accept, for an incremental, a source with less than half of its parent's bytes",
    )
    .option('--name <text>', 'a name, shown by list')
    .option('--description <text>', 'a description, shown by show')
    .addOption(
      new CliOption(
        '--container <name>',
        "the container of the backup (default: the store's; a store swift://CONTAINER accepts no other)",
        {
          env: 'STOWAGE_CONTAINER',
        },
      ),
    )
    .option('--create', 'make the store if it does not exist, as `stowage init` does')
    .addHelpText('after', examples)
    .action(async (operands: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<BackupCommandOptions>()
      await invoke(options, async (context) => {
        const source = namedSource(operands, options, rawArgumentsOf(command))
        const { runBackup } = await import('../run-backup.js')
        await runBackup(context, source, options)
      })
    })
}

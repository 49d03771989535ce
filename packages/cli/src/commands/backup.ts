import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import { compressionAlgorithms, defaultAlgorithm, rawNames } from '../compression/algorithms.js'
import type { BackupCommandOptions } from '../options/backup-options.js'
import { parsePositiveSize } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { namedSource, rawArgumentsOf } from '../named-source.js'
import { parseSize } from '../sizes.js'

const algorithmNames = [...rawNames, ...compressionAlgorithms.map(({ algorithm }) => algorithm)]

const examples = `
Without --volume-id, a file or device is known by its path: the id is the version 5 UUID (RFC 9562) of its file: URL,
symbolic links resolved. Where several machines share a store, give each volume an id of its own.

Examples:
  $ stowage backup disk.img --store posix:/backups --incremental
  $ stowage backup /dev/vg0/snap --store posix:/backups --volume-id web-1 --compression zlib
  $ stowage backup --stdin-from-command --store posix:/backups --volume-id vm -- gzip -dc vm.img.gz
  $ ssh host cat /dev/vg0/snap | stowage backup - --store posix:/backups --volume-id vm --size 40G

A pipeline hides that a program in it failed. --stdin-from-command does not, and --size refuses a stream that is cut short.
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
        "add to the volume's newest sound backup; a full one where there is none",
        {
          env: 'STOWAGE_INCREMENTAL',
        },
      ).conflicts('parent'),
    )
    .option('--parent <id>', 'add to this backup')
    .addOption(
      new CliOption('--compression <algorithm>', `how to compress (default: ${defaultAlgorithm})`, {
        env: 'STOWAGE_COMPRESSION',
        choices: algorithmNames,
      }),
    )
    .addOption(
      new CliOption('--chunk-size <size>', "the most bytes in an object (default: the store's)", {
        env: 'STOWAGE_CHUNK_SIZE',
        parse: parsePositiveSize,
      }),
    )
    .addOption(
      new CliOption(
        '--block-size <size>',
        "where changes are looked for: a power of two, 512 to 64M (default: 32K, or the parent's)",
        {
          env: 'STOWAGE_BLOCK_SIZE',
          parse: parsePositiveSize,
        },
      ),
    )
    .addOption(
      new CliOption(
        '--join-gap <size>',
        'unchanged bytes stored again, to 4M, so that scattered changes share objects; 0 lays them out as Cinder does (default: 1M)',
        { env: 'STOWAGE_JOIN_GAP', parse: parseSize },
      ),
    )
    .addOption(
      new CliOption(
        '--holes <how>',
        'skip the holes of a sparse file where Linux reports them, or read them (default: skip)',
        { env: 'STOWAGE_HOLES', choices: ['skip', 'read'] },
      ),
    )
    .option(
      '--stdin-from-command',
      'run a command, back up what it writes to stdout, and keep that only if it ends with exit code 0',
    )
    .addOption(
      new CliOption('--size <size>', 'the size that the source must have; any other ends the backup', {
        parse: parseSize,
      }),
    )
    .option('--allow-empty', 'back up a source of 0 bytes')
    .option(
      '--allow-shrink',
      'make an incremental of a source with less than half of the bytes of its parent',
    )
    .option('--name <text>', 'a name for people')
    .option('--description <text>', 'a description for people')
    .addOption(
      new CliOption(
        '--container <name>',
        "the container to put it in (default: the store's; a store swift://CONTAINER takes no other)",
        {
          env: 'STOWAGE_CONTAINER',
        },
      ),
    )
    .option('--create', 'make the store if there is none, as `stowage init` does')
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

import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'
import { CliOption } from '../options/option.js'
import { formatDuration } from '../output/duration.js'
import { countOf, formatSize } from '../sizes.js'

type Level = 'quick' | 'full'

interface VerifyOptions extends GlobalOptions {
  readonly level?: Level
}

const examples = `
quick: checks that every object of the chain exists. full: also checks that every object decompresses to its length and MD5,
and every block of the volume against its SHA-256. Reports all problems, and exits with code 4.

Examples:
  $ stowage verify 7a1c --store posix:/backups --level full`

/** `stowage verify` */
export function addVerifyCommand(program: Command, invoke: Invoke): void {
  program
    .command('verify')
    .description('Check that a backup can be restored.')
    .argument('<backup-id>', 'the id, or at least 4 characters of its beginning')
    .addOption(
      new CliOption('--level <level>', 'what to check (default: quick)', {
        choices: ['quick', 'full'],
        env: 'STOWAGE_LEVEL',
      }),
    )
    .addHelpText('after', examples)
    .action(async (backupId: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<VerifyOptions>()
      await invoke(options, async ({ withStore, output, signal }) => {
        const { resolveBackup } = await import('../resolve-backup.js')
        const startMs = output.nowMs()
        const result = await withStore(async (driver) => {
          const record = await resolveBackup(driver, backupId, signal)
          const onProgress = output.startProgress()
          return driver.verify(record, {
            level: options.level ?? 'quick',
            signal,
            ...(onProgress ? { onProgress } : {}),
          })
        })
        const elapsedMs = Math.round(output.nowMs() - startMs)
        const { level, objectsChecked, blocksChecked, sizeBytes, chain } = result
        output.result({
          json: { ...result, ok: true, elapsedMs },
          human:
            `Verified ${result.backupId} (${level}): ${countOf(objectsChecked, 'object')}` +
            (level === 'full' ? `, ${countOf(blocksChecked, 'block')}` : '') +
            ` of ${countOf(chain.length, 'backup')}, ` +
            `a volume of ${formatSize(sizeBytes)}, in ${formatDuration(elapsedMs)}.\n`,
        })
      })
    })
}

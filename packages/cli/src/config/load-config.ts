import type { Command } from 'commander'
import { valuesOnCommandLine } from '../options/command-line-scan.js'
import type { Config } from './config.js'
import { findConfig } from './find-config.js'

/**
 * Finds and reads the configuration file, and lets it fill in the options of the command that is run.
 *
 * @returns undefined where there is none
 * @throws CliError `CONFIG_INVALID`
 */
export async function loadConfig(
  program: Command,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Config | undefined> {
  const given = valuesOnCommandLine(program, argv, '--config').at(-1) ?? env['STOWAGE_CONFIG']
  const file = findConfig(given, env)
  if (file === undefined) return undefined
  const { applyConfig, readConfig } = await import('../store.js')
  const config = await readConfig(file)
  program.hook('preAction', (_program, command) => {
    applyConfig(command, config)
  })
  return config
}

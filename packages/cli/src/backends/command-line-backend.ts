import type { Command } from 'commander'
import type { Config } from '../config/config.js'
import { operandsOnCommandLine, valuesOnCommandLine } from '../options/command-line-scan.js'
import { parsePackageChoice } from '../plugins/package-choice.js'
import type { PackageChoice } from '../plugins/package-choice.js'
import { schemeOf } from '../store-url.js'
import { splitList } from '../options/option.js'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Adds the options of the store's backend to the command line, before it is parsed: the backend of `--store`, and for the help
 * those that are installed with the command.
 *
 * @returns why the backend cannot be loaded, to be reported if the command line cannot be parsed for that reason
 */
export async function addBackendOptions(
  program: Command,
  argv: readonly string[],
  env: Env,
  config: Config | undefined,
): Promise<unknown> {
  const urls = [await storeUrlOn(program, argv, env, config), targetUrlOn(program, argv, env, config)]
  const schemes = [...new Set(urls.map(schemeOf).filter((scheme) => scheme !== undefined))]
  const isForHelp = isHelpRequested(program, argv)
  if (schemes.length === 0 && !isForHelp) return undefined
  const { addFlags, addHelpSections, loadBackend, loadOwnBackends } = await import('../store.js')
  try {
    for (const scheme of schemes)
      await addFlags(program, await loadBackend(scheme, choicesOf(program, argv, env, config), env), env)
    if (!isForHelp) return undefined
  } catch (error) {
    if (!isForHelp) return error
  }
  const own = await loadOwnBackends(env)
  for (const backend of own) await addFlags(program, backend, env).catch(() => undefined)
  addHelpSections(program, own)
  return undefined
}

/** The URL of the store, as far as it can be known before the command line is parsed. */
export async function storeUrlOn(
  program: Command,
  argv: readonly string[],
  env: Env,
  config: Config | undefined,
): Promise<string> {
  const { STOWAGE_STORE: ofEnvironment = '' } = env
  // An empty variable counts as unset.
  const given =
    valuesOnCommandLine(program, argv, '--store').at(-1) ?? (ofEnvironment === '' ? undefined : ofEnvironment)
  if (!config) return given ?? ''
  const { storeUrlOf } = await import('../store.js')
  return storeUrlOf(given, operandsOnCommandLine(program, argv), config)
}

/** The URL of the store that a copy is made to; empty for other commands. */
function targetUrlOn(
  program: Command,
  argv: readonly string[],
  env: Env,
  config: Config | undefined,
): string {
  if (operandsOnCommandLine(program, argv)[0] !== 'copy') return ''
  const given = valuesOnCommandLine(program, argv, '--to').at(-1) ?? env['STOWAGE_COPY_TO'] ?? ''
  return config?.stores.get(given)?.url ?? given
}

/** The choices of `--backend`; what is malformed is reported when the command line is parsed. */
function choicesOf(
  program: Command,
  argv: readonly string[],
  env: Env,
  config: Config | undefined,
): PackageChoice[] {
  const given = valuesOnCommandLine(program, argv, '--backend')
  const texts = given.length > 0 ? given : splitList(env['STOWAGE_BACKENDS'] ?? '')
  const chosen = texts.flatMap((text) => {
    try {
      return [parsePackageChoice(text)]
    } catch {
      return []
    }
  })
  return [...(config?.backends ?? []), ...chosen]
}

/** Whether the help is printed: errors of the backend and the configuration do not matter then. */
export function isHelpRequested(program: Command, argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  if (words.includes('--version') || words.includes('-V')) return false
  const [command = 'help'] = operandsOnCommandLine(program, argv)
  return command === 'help' || words.includes('--help') || words.includes('-h')
}

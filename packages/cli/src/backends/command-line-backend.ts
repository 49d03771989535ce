import type { Command } from 'commander'
import { valuesOnCommandLine } from '../options/command-line-scan.js'
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
): Promise<unknown> {
  const url = valuesOnCommandLine(program, argv, '--store').at(-1) ?? env['STOWAGE_STORE'] ?? ''
  const scheme = schemeOf(url)
  const isForHelp = isHelpRequested(argv)
  if (scheme === undefined && !isForHelp) return undefined
  const { addFlags, addHelpSections, loadBackend, loadOwnBackends } = await import('../store.js')
  try {
    const chosen =
      scheme === undefined ? undefined : await loadBackend(scheme, choicesOf(program, argv, env), env)
    if (chosen) await addFlags(program, chosen, env)
    if (!isForHelp) return undefined
  } catch (error) {
    if (!isForHelp) return error
  }
  const own = await loadOwnBackends(env)
  for (const backend of own) await addFlags(program, backend, env).catch(() => undefined)
  addHelpSections(program, own)
  return undefined
}

/** The choices of `--backend`; what is malformed is reported when the command line is parsed. */
function choicesOf(program: Command, argv: readonly string[], env: Env): PackageChoice[] {
  const given = valuesOnCommandLine(program, argv, '--backend')
  const texts = given.length > 0 ? given : splitList(env['STOWAGE_BACKENDS'] ?? '')
  return texts.flatMap((text) => {
    try {
      return [parsePackageChoice(text)]
    } catch {
      return []
    }
  })
}

function isHelpRequested(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  return words.length === 0 || words.some((word) => word === '--help' || word === '-h' || word === 'help')
}

import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'

const extensions = ['json', 'yaml', 'yml', 'mjs', 'js']

/**
 * Finds the configuration file: the one that `--config` names, or `stowage.config.*` in the working directory, or
 * `stowage/config.*` of the user or of the system. Not in the folders above the working directory, as tools of a project
 * do it: a backup must not depend on where in a tree it is started.
 *
 * @returns the absolute path; undefined where there is none
 * @throws CliError `CONFIG_INVALID` for a file of another user in the working directory
 */
export function findConfig(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (given !== undefined && given !== '') return resolve(given)
  const here = firstOf(process.cwd(), 'stowage.config')
  if (here !== undefined) {
    assertOwn(here)
    return here
  }
  const { XDG_CONFIG_HOME: xdg = '', HOME: home = '' } = env
  const ofUser = xdg !== '' ? [xdg] : home !== '' ? [join(home, '.config')] : []
  const folders = [...ofUser, '/etc']
  for (const folder of folders) {
    const found = firstOf(join(folder, 'stowage'), 'config')
    if (found !== undefined) return found
  }
  return undefined
}

function firstOf(folder: string, name: string): string | undefined {
  return extensions.map((extension) => join(folder, `${name}.${extension}`)).find((path) => existsSync(path))
}

/** A configuration may name code to load, which must not be that of whoever owns the working directory. */
function assertOwn(path: string): void {
  const own = process.getuid?.()
  const { uid } = statSync(path)
  if (own === undefined || uid === own || uid === 0) return
  throw new CliError('CONFIG_INVALID', `${path} belongs to another user (uid ${String(uid)}).`, {
    exitCode: exitCodes.usage,
    hint: `If you trust it, name it: --config ${path}. Otherwise run the command in another directory.`,
  })
}

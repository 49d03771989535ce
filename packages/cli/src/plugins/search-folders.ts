import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

type Env = Readonly<Record<string, string | undefined>>

/** The folder of the command's own code. The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const ownFolder = dirname(typeof __filename === 'string' ? __filename : fileURLToPath(import.meta.url))

/**
 * Where packages of others are searched, in groups: beside the command, from the working directory upwards, in npm's global
 * installation. A package of an earlier group hides one of the same name in a later group.
 */
export function searchGroups(env: Env): string[][] {
  return [moduleFoldersFrom(ownFolder), moduleFoldersFrom(process.cwd()), globalModuleFolders(env)]
}

/** The `node_modules` folders in which Node.js searches for the imports of a module in a folder, nearest first. */
export function moduleFoldersFrom(folder: string): string[] {
  const folders: string[] = []
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (basename(at) !== 'node_modules') folders.push(join(at, 'node_modules'))
    if (dirname(at) === at) return folders
  }
}

/**
 * The folders of `npm install --global` and of NODE_PATH. Derived as npm does it, from its prefix, which is that of Node.js
 * unless the environment has another: starting npm to ask for it would take half a second.
 */
export function globalModuleFolders(
  env: Env,
  { execPath, platform }: Pick<NodeJS.Process, 'execPath' | 'platform'> = process,
): string[] {
  const isWindows = platform === 'win32'
  const binFolder = dirname(execPath)
  const prefixes = [
    env['npm_config_prefix'] ?? env['NPM_CONFIG_PREFIX'],
    isWindows ? env['APPDATA'] && join(env['APPDATA'], 'npm') : undefined,
    isWindows ? binFolder : dirname(binFolder),
    // Debian's npm installs there, its Node.js is in /usr.
    binFolder === '/usr/bin' ? '/usr/local' : undefined,
  ]
  const ofNpm = prefixes
    .filter((prefix) => prefix !== undefined)
    .filter((prefix) => prefix !== '')
    .map((prefix) => join(prefix, isWindows ? 'node_modules' : 'lib/node_modules'))
  const ofNode = (env['NODE_PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...new Set([...ofNode, ...ofNpm])]
}

import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { exports as entriesOf } from 'resolve.exports'
import { searchGroups } from './search-folders.js'

/** A package, or a module of the user's, that can be imported. */
export interface FoundPackage {
  /** For messages: the name of the package, or the path as the user gave it. */
  readonly packageName: string
  /** The folder of the package, or the path of the module. */
  readonly path: string
}

/** Finds installed packages: all of these names that the first group of folders with any of them has. */
export function findPackages(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FoundPackage[] {
  for (const folders of searchGroups(env)) {
    const found = names.flatMap((packageName) => {
      const folder = folders.find((one) => existsSync(join(one, packageName, 'package.json')))
      return folder === undefined ? [] : [{ packageName, path: join(folder, packageName) }]
    })
    if (found.length > 0) return found
  }
  return []
}

/** The module that a path names, from the working directory; undefined where there is none. */
export function findModule(path: string): FoundPackage | undefined {
  const absolute = resolve(path)
  return existsSync(absolute) ? { packageName: path, path: absolute } : undefined
}

/**
 * The URL of the module to import.
 *
 * @throws an error of Node.js or of `resolve.exports` where the package has no main entry
 */
export function entryUrl({ path }: FoundPackage): string {
  if (!statSync(path).isDirectory()) return pathToFileURL(path).href
  const manifestPath = join(path, 'package.json')
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as { readonly exports?: unknown }
  // Without `exports`, `main` means the same for `import` as for `require`. With it, an ES module may have no entry for `require`.
  if (manifest.exports === undefined) return pathToFileURL(createRequire(manifestPath).resolve(path)).href
  const [entry] = entriesOf(manifest, '.') ?? []
  if (entry === undefined) throw new Error(`${manifestPath} exports no main entry`)
  return pathToFileURL(join(path, entry)).href
}

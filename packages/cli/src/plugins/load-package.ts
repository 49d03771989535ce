import { isModulePath } from './module-path.js'
import type { PackageChoice } from './package-choice.js'
import { chosenPackage } from './package-choice.js'
import { PackageError } from './package-error.js'
import type { FoundPackage } from './find-package.js'

/** What a kind of package has in common: backends, or compressors. */
export interface PackageKind<Value> {
  /** What one is called in messages. */
  readonly noun: string
  /** The name that it exports. */
  readonly exportName: string
  /** The packages that may have a name: `@stowage/backup-NAME`. */
  readonly packageNames: (name: string) => readonly string[]
  /** The option that chooses one. */
  readonly option: string
  /** What is wrong with the exported value; undefined where nothing is. */
  readonly problemOf: (value: unknown) => string | undefined
  /** The names that the value is for. */
  readonly namesOf: (value: Value) => readonly string[]
  /** The name as a user types it: `x:` for the scheme `x`. */
  readonly quote: (name: string) => string
}

/** Where to search. */
export interface PackageSearch {
  /** Stowage's own packages of that name, the first choice first. */
  readonly own: readonly string[]
  readonly choices?: readonly PackageChoice[] | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A package that was loaded. */
export interface LoadedPackage<Value> {
  readonly packageName: string
  readonly value: Value
}

/**
 * Loads the package of a name: the one that the user chose, Stowage's own, or one that follows the naming convention.
 *
 * Stowage's own come first, so that the directory in which the command is run cannot replace them.
 *
 * @returns undefined where none is installed
 * @throws PackageError where it cannot be used
 */
export async function loadPackage<Value>(
  kind: PackageKind<Value>,
  name: string,
  { own, choices, env }: PackageSearch,
): Promise<LoadedPackage<Value> | undefined> {
  const chosen = chosenPackage(choices, name)
  if (chosen !== undefined) return loadChosen(kind, name, chosen, env)
  for (const packageName of own) {
    const loaded = await loadOwn(kind, name, packageName, env)
    if (loaded) return loaded
  }
  if (own.length > 0) return undefined
  const { findPackages } = await import('./find-package.js')
  const found = findPackages(kind.packageNames(name), env)
  if (found.length > 1) throw ambiguous(kind, name, found)
  return found[0] && importFound(kind, name, found[0])
}

/** Loads a package of Stowage, from where the command is installed or, where it is not there, from elsewhere. */
export async function loadOwn<Value>(
  kind: PackageKind<Value>,
  name: string,
  packageName: string,
  env: PackageSearch['env'],
): Promise<LoadedPackage<Value> | undefined> {
  let exported: object
  try {
    exported = (await import(packageName)) as object
  } catch (error) {
    if (!isAbsent(error, packageName)) throw cannotLoad(kind, packageName, error)
    const { findPackages } = await import('./find-package.js')
    const [found] = findPackages([packageName], env)
    return found && importFound(kind, name, found)
  }
  return valueOf(kind, name, packageName, exported)
}

async function loadChosen<Value>(
  kind: PackageKind<Value>,
  name: string,
  chosen: string,
  env: PackageSearch['env'],
): Promise<LoadedPackage<Value>> {
  const { findModule, findPackages } = await import('./find-package.js')
  const isPath = isModulePath(chosen)
  const found = isPath ? findModule(chosen) : findPackages([chosen], env)[0]
  if (found) return importFound(kind, name, found)
  const what = `${kind.option} ${name}=${chosen}`
  if (isPath)
    throw new PackageError('missing', `${what}: the file does not exist.`, 'Give the path of a module.')
  if (findModule(chosen) !== undefined || /[\\/]|\.[cm]?[jt]s$/.test(chosen.replace(/^@[^/]*\//, ''))) {
    const message = `${what}: no package of this name is installed.`
    throw new PackageError('missing', message, `For a file, write ./${chosen}.`)
  }
  throw new PackageError(
    'missing',
    `${what}: this package is not installed.`,
    `Run: npm install ${chosen} (with -g, if stowage is installed so).`,
  )
}

async function importFound<Value>(
  kind: PackageKind<Value>,
  name: string,
  found: FoundPackage,
): Promise<LoadedPackage<Value>> {
  const { entryUrl } = await import('./find-package.js')
  const from = found.path.endsWith(found.packageName) ? '' : ` (${found.path})`
  let exported: object
  try {
    exported = (await import(entryUrl(found))) as object
  } catch (error) {
    throw cannotLoad(kind, found.packageName + from, error)
  }
  return valueOf(kind, name, found.packageName, exported)
}

function valueOf<Value>(
  kind: PackageKind<Value>,
  name: string,
  packageName: string,
  exported: object,
): LoadedPackage<Value> {
  const { exportName, noun } = kind
  const { default: whole } = exported as { readonly default?: unknown }
  // Node.js does not find the names of every CommonJS module.
  const module = exportName in exported ? exported : typeof whole === 'object' && whole !== null ? whole : {}
  const value = (module as Readonly<Record<string, unknown>>)[exportName]
  if (value === undefined) {
    throw new PackageError(
      'invalid',
      `The package ${packageName} has no ${noun} for this command: it does not export ${exportName}.`,
      `Update it (npm install ${packageName}@latest), or choose another with ${kind.option}.`,
    )
  }
  const problem = kind.problemOf(value)
  if (problem !== undefined) {
    const message = `The ${exportName} of the package ${packageName} is not valid: ${problem}.`
    throw new PackageError('invalid', message, 'Update the package, or report this to its authors.')
  }
  const names = kind.namesOf(value as Value)
  if (!names.includes(name)) {
    throw new PackageError(
      'invalid',
      `The package ${packageName} does not support ${kind.quote(name)}: it supports ${names.map(kind.quote).join(', ')}.`,
      `Use one of these, or choose another package with ${kind.option} ${name}=PACKAGE.`,
    )
  }
  return { packageName, value: value as Value }
}

function ambiguous(
  kind: PackageKind<never>,
  name: string,
  [first, second]: readonly FoundPackage[],
): PackageError {
  const names = [first?.packageName ?? '', second?.packageName ?? '']
  return new PackageError(
    'ambiguous',
    `Two installed packages support ${kind.quote(name)}: ${names.join(' and ')}.`,
    `Choose one: ${names.map((one) => `${kind.option} ${name}=${one}`).join(', or ')}. Or uninstall the other.`,
  )
}

/** An installed package that lacks a dependency of its own is a different failure. */
function isAbsent(error: unknown, packageName: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${packageName}'`)
}

function cannotLoad(kind: PackageKind<never>, packageName: string, cause: unknown): PackageError {
  const { code, message, name } = cause as NodeJS.ErrnoException
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  // The first line: a CommonJS module that is missing is followed by the stack of requires.
  const [why = ''] = (cause instanceof Error ? `${name}: ${message}` : String(cause)).split('\n')
  return new PackageError(
    'invalid',
    `The ${kind.noun} package ${packageName} cannot be loaded: ${why}`,
    isMissing
      ? 'A package that it needs is not installed: run npm install where it is installed.'
      : 'Update the package, or report this to its authors. STOWAGE_DEBUG=1 prints the stack trace.',
    cause,
  )
}

import { backendPackageProblem } from '@stowage/backup-core'
import type { BackendPackage } from '@stowage/backup-core'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { loadOwn, loadPackage } from '../plugins/load-package.js'
import type { LoadedPackage, PackageKind } from '../plugins/load-package.js'
import { ownBackends } from '../plugins/own-packages.js'
import type { PackageChoice } from '../plugins/package-choice.js'
import { PackageError } from '../plugins/package-error.js'

/** A backend, and the package that exports it. */
export type LoadedBackend = LoadedPackage<BackendPackage>

type Env = Readonly<Record<string, string | undefined>>

const kind: PackageKind<BackendPackage> = {
  noun: 'backend',
  exportName: 'stowageBackend',
  packageNames: (scheme) => [`@stowage/backup-${scheme}`, `stowage-backup-${scheme}`],
  option: '--backend',
  problemOf: backendPackageProblem,
  namesOf: ({ schemes }) => schemes,
  quote: (scheme) => `"${scheme}:"`,
}

/**
 * Loads the backend of a scheme.
 *
 * @throws CliError `STORE_UNKNOWN` where none is installed, `BACKEND_AMBIGUOUS`, `BACKEND_INVALID`
 */
export async function loadBackend(
  scheme: string,
  choices: readonly PackageChoice[] | undefined,
  env: Env,
): Promise<LoadedBackend> {
  const own = ownBackends.filter(({ schemes }) => schemes.includes(scheme))
  const search = { own: own.map(({ packageName }) => packageName), choices, env }
  const loaded = await inCommandErrors(() => loadPackage(kind, scheme, search))
  if (loaded) return loaded
  const [ofStowage = '', ofOthers = ''] = kind.packageNames(scheme)
  const schemes = ownBackends.flatMap((one) => one.schemes.map((name) => `${name}:`))
  throw new CliError('STORE_UNKNOWN', `No backend for "${scheme}:" is installed.`, {
    exitCode: exitCodes.usage,
    hint: `Run: npm install ${ofStowage}, or npm install ${ofOthers} (with -g, if stowage is installed so), if one of them is the backend of this store. Without a further package, stowage opens ${schemes.join(', ')}.`,
  })
}

/** Loads the backends that are installed with the command, for its help. One that cannot be loaded is left out. */
export async function loadOwnBackends(env: Env): Promise<LoadedBackend[]> {
  const loaded = await Promise.all(
    ownBackends.map(({ packageName, schemes: [scheme = ''] }) =>
      loadOwn(kind, scheme, packageName, env).catch(() => undefined),
    ),
  )
  return loaded.filter((one) => one !== undefined)
}

/** Loads a backend that is installed with the command. */
export async function loadOwnBackend(
  packageName: string,
  scheme: string,
  env: Env,
): Promise<LoadedBackend | undefined> {
  return inCommandErrors(() => loadOwn(kind, scheme, packageName, env))
}

async function inCommandErrors<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    const { message, hint, fault } = error
    if (fault === 'missing')
      throw new CliError('STORE_UNKNOWN', message, { exitCode: exitCodes.usage, hint, cause: error })
    if (fault === 'ambiguous')
      throw new CliError('BACKEND_AMBIGUOUS', message, { exitCode: exitCodes.usage, hint, cause: error })
    throw new CliError('BACKEND_INVALID', message, { exitCode: exitCodes.failed, hint, cause: error })
  }
}

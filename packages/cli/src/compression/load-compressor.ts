import { BackupError, compressorPackageProblem, isBackupError } from '@stowage/backup-core'
import type { Compressor, CompressorPackage } from '@stowage/backup-core'
import { loadPackage } from '../plugins/load-package.js'
import type { LoadedPackage, PackageKind } from '../plugins/load-package.js'
import { bz2Packages, ownCompressors } from '../plugins/own-packages.js'
import type { Bz2Engine, OwnCompressor } from '../plugins/own-packages.js'
import type { PackageChoice } from '../plugins/package-choice.js'
import { PackageError } from '../plugins/package-error.js'
import { rawNames } from './algorithms.js'

type Env = Readonly<Record<string, string | undefined>>

/** The options of the command that choose the package of an algorithm. */
export interface CompressorChoices {
  readonly compressor?: readonly PackageChoice[]
  readonly bz2Engine?: Bz2Engine
}

const kind: PackageKind<CompressorPackage> = {
  noun: 'compressor',
  exportName: 'stowageCompressors',
  packageNames: (algorithm) => [`@stowage/compression-${algorithm}`, `stowage-compression-${algorithm}`],
  option: '--compressor',
  problemOf: compressorPackageProblem,
  namesOf: ({ algorithms }) => algorithms,
  quote: (algorithm) => `"${algorithm}"`,
}

/**
 * The compressor for a value of `--compression`; undefined for no compression. Loaded before the store is opened, so that a
 * missing package ends the backup before anything is written.
 *
 * @throws BackupError `COMPRESSION_UNKNOWN` where no package is installed, with the command that installs one
 */
export async function compressorOf(
  algorithm: string,
  choices: CompressorChoices,
  env: Env,
): Promise<Compressor | undefined> {
  return rawNames.includes(algorithm) ? undefined : findDecompressor(algorithm, choices, env)
}

/** The compressor of an algorithm that a manifest names. @throws as {@link compressorOf} */
export async function findDecompressor(
  algorithm: string,
  { compressor: choices, bz2Engine }: CompressorChoices,
  env: Env,
): Promise<Compressor> {
  const own = ownPackages(algorithm, bz2Engine)
  const names = own.map(({ packageName }) => packageName)
  let loaded: LoadedPackage<CompressorPackage> | undefined
  try {
    loaded = await loadPackage(kind, algorithm, { own: names, choices, env })
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    throw new BackupError('COMPRESSION_UNKNOWN', `${error.message} ${error.hint}`, { cause: error })
  }
  if (!loaded) throw own.length > 0 ? ownNotInstalled(algorithm, own) : notInstalled(algorithm)
  return created(algorithm, loaded)
}

function ownPackages(algorithm: string, bz2Engine: Bz2Engine | undefined): OwnCompressor[] {
  const others = new Set(
    Object.values(bz2Packages).filter((one) => bz2Engine !== undefined && one !== bz2Packages[bz2Engine]),
  )
  return ownCompressors.filter((one) => one.algorithms.includes(algorithm) && !others.has(one))
}

function created(algorithm: string, { packageName, value }: LoadedPackage<CompressorPackage>): Compressor {
  try {
    const compressor = value.create(algorithm)
    // Another name would be recorded, and no restore would find the package by it.
    if (compressor.name === algorithm) return compressor
    throw new BackupError(
      'COMPRESSION_UNKNOWN',
      `The compressor package ${packageName} made a compressor for ${JSON.stringify(compressor.name)}, expected one for "${algorithm}". Update it, or report this to its authors.`,
    )
  } catch (cause) {
    if (isBackupError(cause)) throw cause
    const message = `The compression "${algorithm}" of ${packageName} could not be set up: ${String(cause)}`
    throw new BackupError('COMPRESSION_FAILED', message, { cause })
  }
}

/** The error for an algorithm of Stowage whose packages are not installed. */
export function ownNotInstalled(
  algorithm: string,
  [first, ...others]: readonly OwnCompressor[],
): BackupError {
  const name = first?.packageName ?? ''
  const instead = others.map(
    ({ packageName, remark }) => `, or ${packageName}${remark === undefined ? '' : ` (${remark})`}`,
  )
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `The compression "${algorithm}" needs the package ${name}${instead.join('')}. Run: npm install ${name} (with -g, if stowage is installed so).`,
  )
}

function notInstalled(algorithm: string): BackupError {
  const [ofStowage = '', ofOthers = ''] = kind.packageNames(algorithm)
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `No package for the compression "${algorithm}" is installed. Run: npm install ${ofStowage}, or npm install ${ofOthers} (with -g, if stowage is installed so), if one of them is the package that is meant.`,
  )
}

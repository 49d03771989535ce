import { BackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import type { Bz2Engine, CompressionAlgorithm, AlgorithmPackage } from './algorithms.js'

type CompressorFactory = (options: { readonly algorithm?: string }) => Compressor

/**
 * Imports a package for an algorithm: the first that is installed, or the one of the given engine.
 *
 * @throws BackupError `COMPRESSION_UNKNOWN` where none is installed; the message has the command that installs one
 */
export async function loadCompressor(spec: CompressionAlgorithm, bz2Engine?: Bz2Engine): Promise<Compressor> {
  const { algorithm, packages } = spec
  const candidates = packages.filter(
    ({ engine }) => engine === undefined || bz2Engine === undefined || engine === bz2Engine,
  )
  let cause: unknown
  for (const candidate of candidates) {
    try {
      return compressorFrom((await import(candidate.packageName)) as object, algorithm, candidate)
    } catch (error) {
      if (error instanceof BackupError) throw error
      if (!isAbsent(error, candidate)) throw cannotBeLoaded(algorithm, candidate, error)
      cause ??= error
    }
  }
  throw notInstalled(algorithm, candidates, cause)
}

function compressorFrom(
  exported: object,
  algorithm: string,
  { packageName, factory }: AlgorithmPackage,
): Compressor {
  const make = (exported as Readonly<Record<string, unknown>>)[factory]
  if (typeof make !== 'function') {
    throw new BackupError(
      'COMPRESSION_UNKNOWN',
      `The installed ${packageName} has no ${factory}(): it has another version. Run: npm install ${packageName}@latest`,
    )
  }
  // A package with one algorithm has no option to choose it by.
  return (make as CompressorFactory)(algorithm === factory ? {} : { algorithm: algorithm })
}

/** An installed package that lacks a dependency of its own is a different failure. */
function isAbsent(error: unknown, { packageName }: AlgorithmPackage): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${packageName}'`)
}

function cannotBeLoaded(algorithm: string, { packageName }: AlgorithmPackage, cause: unknown): BackupError {
  const { message } = cause as Error
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `The package ${packageName}, which the compression "${algorithm}" needs, cannot be loaded: ${message}`,
    { cause },
  )
}

function notInstalled(
  algorithm: string,
  candidates: readonly AlgorithmPackage[],
  cause: unknown,
): BackupError {
  const [first, ...others] = candidates
  const name = first?.packageName ?? ''
  const instead = others.map(
    ({ packageName, remark }) => `, or ${packageName}${remark === undefined ? '' : ` (${remark})`}`,
  )
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `The compression "${algorithm}" needs the package ${name}${instead.join('')}. Run: npm install ${name} (with -g, if stowage is installed so).`,
    { cause },
  )
}

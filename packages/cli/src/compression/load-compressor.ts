import { BackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import type { Bz2Engine, CompressionWord, WordPackage } from './words.js'

type CompressorFactory = (options: { readonly algorithm?: string }) => Compressor

/**
 * Imports a package that serves a word: the first that is installed, or the one of the engine that was asked for.
 *
 * @throws BackupError `COMPRESSION_UNKNOWN` where none is installed; the message has the line that installs one
 */
export async function loadCompressor(spec: CompressionWord, bz2Engine?: Bz2Engine): Promise<Compressor> {
  const { word, packages } = spec
  const candidates = packages.filter(
    ({ engine }) => engine === undefined || bz2Engine === undefined || engine === bz2Engine,
  )
  let cause: unknown
  for (const candidate of candidates) {
    try {
      return compressorFrom((await import(candidate.packageName)) as object, word, candidate)
    } catch (error) {
      if (error instanceof BackupError) throw error
      if (!isAbsent(error, candidate)) throw cannotBeLoaded(word, candidate, error)
      cause ??= error
    }
  }
  throw notInstalled(word, candidates, cause)
}

function compressorFrom(exported: object, word: string, { packageName, factory }: WordPackage): Compressor {
  const make = (exported as Readonly<Record<string, unknown>>)[factory]
  if (typeof make !== 'function') {
    throw new BackupError(
      'COMPRESSION_UNKNOWN',
      `The installed ${packageName} has no ${factory}(): it is not of this version. Run: npm install ${packageName}@latest`,
    )
  }
  // A package with one algorithm has no option to choose it by.
  return (make as CompressorFactory)(word === factory ? {} : { algorithm: word })
}

/** A package that is there and lacks one of its own dependencies is another fault, and must not be hidden. */
function isAbsent(error: unknown, { packageName }: WordPackage): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${packageName}'`)
}

function cannotBeLoaded(word: string, { packageName }: WordPackage, cause: unknown): BackupError {
  const { message } = cause as Error
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `The package ${packageName}, which the compression "${word}" needs, cannot be loaded: ${message}`,
    { cause },
  )
}

function notInstalled(word: string, candidates: readonly WordPackage[], cause: unknown): BackupError {
  const [first, ...others] = candidates
  const name = first?.packageName ?? ''
  const instead = others.map(
    ({ packageName, remark }) => `, or ${packageName}${remark === undefined ? '' : ` (${remark})`}`,
  )
  return new BackupError(
    'COMPRESSION_UNKNOWN',
    `The compression "${word}" needs the package ${name}${instead.join('')}. Run: npm install ${name} (with -g, if stowage is installed so).`,
    { cause },
  )
}

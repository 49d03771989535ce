import { BackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import type { CompressionWord } from './words.js'

type CompressorFactory = (options: { readonly word?: string }) => Compressor

/**
 * Imports the package that serves a word.
 *
 * @throws BackupError `COMPRESSION_UNKNOWN` where it is not installed; the message has the line that installs it
 */
export async function loadCompressor(spec: CompressionWord): Promise<Compressor> {
  const { word, packageName, factory } = spec
  const exported = await importPackage(spec)
  const make = (exported as Readonly<Record<string, unknown>>)[factory]
  if (typeof make !== 'function') {
    throw new BackupError(
      'COMPRESSION_UNKNOWN',
      `The installed ${packageName} has no ${factory}(): it is not of this version. Run: npm install ${packageName}@latest`,
    )
  }
  // A package with one word has no option to choose it by.
  return (make as CompressorFactory)(word === factory ? {} : { word })
}

async function importPackage({ word, packageName }: CompressionWord): Promise<object> {
  try {
    return (await import(packageName)) as object
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    // A package that is there and lacks one of its own dependencies is another fault, and must not be hidden.
    const isAbsent = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${packageName}'`)
    throw new BackupError(
      'COMPRESSION_UNKNOWN',
      isAbsent
        ? `The compression "${word}" needs the package ${packageName}. Run: npm install ${packageName} (with -g, if stowage is installed so).`
        : `The package ${packageName}, which the compression "${word}" needs, cannot be loaded: ${message}`,
      { cause },
    )
  }
}

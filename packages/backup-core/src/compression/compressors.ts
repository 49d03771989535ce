import { BackupError } from '../errors/backup-error.js'
import type { Compressor } from '../contracts/compressor.js'

/** The words for data stored as it is; the store records all of them as `none`. */
const RAW_WORDS: ReadonlySet<string> = new Set(['none', 'off', 'no'])

/** Cinder's words, and the package that reads each. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['zlib', '@stowage/compression-zlib'],
  ['gzip', '@stowage/compression-zlib'],
  ['bz2', '@stowage/compression-bz2'],
  ['bzip2', '@stowage/compression-bz2'],
  ['zstd', '@stowage/compression-zstd'],
])

/** Cinder's words without `none` and its synonyms. */
export const COMPRESSION_WORDS: readonly string[] = [...PACKAGES.keys()]

/** Whether the word means that data is stored as it is. */
export function isRawWord(word: string): boolean {
  return RAW_WORDS.has(word.toLowerCase())
}

/** The package to install for a word, where one is known. */
export function packageForWord(word: string): string | undefined {
  return PACKAGES.get(word.toLowerCase())
}

/** The compressors of one driver: no registry is shared, so that two copies of this package cannot disagree. */
export class Compressors {
  readonly #byWord = new Map<string, Compressor>()

  /** Throws `OPTION_INVALID` for a compressor whose word is not one. */
  constructor(compressors: readonly Compressor[]) {
    for (const compressor of compressors) {
      assertDeclared(compressor)
      for (const word of [compressor.name, ...compressor.aliases]) {
        if (!/^[a-z0-9][a-z0-9_-]*$/.test(word) || isRawWord(word)) {
          throw new BackupError(
            'OPTION_INVALID',
            `A compressor calls itself ${JSON.stringify(word)}. Its name is the word that the store records: lower case, and not one of none, off, no.`,
          )
        }
        // The first one named wins: `compression` comes before `decompressors`.
        if (!this.#byWord.has(word)) this.#byWord.set(word, compressor)
      }
    }
  }

  /** Null for a raw word. Throws `COMPRESSION_UNKNOWN`, naming the package to install. */
  forWord(word: string): Compressor | null {
    if (isRawWord(word)) return null
    const found = this.#byWord.get(word.toLowerCase())
    if (found) return found
    throw unknownCompression(word)
  }
}

/** Whether Cinder restores what this compressor writes. */
export function isCinderCompatible({ name, cinderCompatible }: Compressor): boolean {
  return PACKAGES.has(name) && cinderCompatible !== false
}

/** Cinder fails on a word that it does not know: whoever writes one has to know that. */
function assertDeclared({ name, cinderCompatible }: Compressor): void {
  if (PACKAGES.has(name) || cinderCompatible === false) return
  throw new BackupError(
    'OPTION_INVALID',
    `The compressor ${JSON.stringify(name)} writes a compression that Cinder does not know, so Cinder cannot restore its backups. Set cinderCompatible: false on the compressor to use it all the same, or use one of ${COMPRESSION_WORDS.join(', ')}.`,
  )
}

/** The error for a word that nothing at hand can read. */
export function unknownCompression(word: string): BackupError {
  const known = packageForWord(word)
  const advice =
    known === undefined
      ? 'No package of Stowage reads it; a compressor of that name has to be handed over in `decompressors`.'
      : `Install ${known} (npm i ${known}) and hand it to the driver in \`decompressors\`.`
  return new BackupError('COMPRESSION_UNKNOWN', `unsupported compression algorithm: ${word}. ${advice}`)
}

import { BackupError } from '@stowage/backup-core'

/** Options of a bzip2 compressor, whatever its engine. */
export interface Bzip2Options {
  /**
   * The word that the store records for new chunks. Both stand for the same bzip2 stream.
   * @default 'bz2'
   */
  readonly word?: 'bz2' | 'bzip2'
  /**
   * How long a block is, from 1 (100,000 bytes) to 9 (900,000 bytes, smallest result).
   * @default 9, Cinder's
   */
  readonly level?: number
}

/** Options with every default filled in. */
export type ResolvedBzip2Options = Required<Bzip2Options>

const words: readonly string[] = ['bz2', 'bzip2']

export function resolveOptions(options: Bzip2Options): ResolvedBzip2Options {
  const { word = 'bz2', level = 9 } = options
  if (!words.includes(word)) {
    throw new BackupError('OPTION_INVALID', `word must be one of ${words.join(', ')}, not ${word}.`)
  }
  if (!Number.isInteger(level) || level < 1 || level > 9) {
    throw new BackupError('OPTION_INVALID', `level must be a whole number from 1 to 9, not ${String(level)}.`)
  }
  return Object.freeze({ word, level })
}

import { checkOptions, optionRules } from '@stowage/backup-core'
import type { OptionShape } from '@stowage/backup-core'

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

const shape: OptionShape<Bzip2Options> = {
  word: optionRules.oneOf('bz2', 'bzip2'),
  level: optionRules.wholeNumber(1, 9),
}

export function resolveOptions(options: Bzip2Options): ResolvedBzip2Options {
  checkOptions('the options of the bzip2 compressor', options, shape)
  const { word = 'bz2', level = 9 } = options
  return Object.freeze({ word, level })
}

import { checkOptions, optionRules } from '@stowage/backup-core'
import type { OptionShape } from '@stowage/backup-core'

/** Which implementation of zlib runs: `auto` is Node's own where there is one, and pako elsewhere. */
export type ZlibEngineName = 'auto' | 'node' | 'pako'

/** Options of {@link zlib}. */
export interface ZlibOptions {
  /**
   * The word that the store records for new chunks. Both stand for the same zlib stream, as in Cinder, where `gzip`
   * has never meant a gzip file.
   * @default 'zlib'
   */
  readonly word?: 'zlib' | 'gzip'
  /**
   * How hard to try, from 0 (stored) to 9 (smallest).
   * @default 6, Cinder's; 1 for what an incremental stores again only so that scattered changes share an object
   */
  readonly level?: number
  /** @default 'auto' */
  readonly engine?: ZlibEngineName
}

/** Options with every default filled in. */
export interface ResolvedZlibOptions extends Required<ZlibOptions> {
  /** Where the caller would rather have the result soon than short. */
  readonly quickLevel: number
}

const usualLevel = 6
const quickLevel = 1

const shape: OptionShape<ZlibOptions> = {
  word: optionRules.oneOf('zlib', 'gzip'),
  level: optionRules.wholeNumber(0, 9),
  engine: optionRules.oneOf('auto', 'node', 'pako'),
}

export function resolveOptions(options: ZlibOptions): ResolvedZlibOptions {
  checkOptions('the options of zlib()', options, shape)
  const { word = 'zlib', level = usualLevel, engine = 'auto' } = options
  return Object.freeze({ word, level, quickLevel: options.level ?? quickLevel, engine })
}

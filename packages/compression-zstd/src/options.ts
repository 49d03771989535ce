import { checkOptions, optionRules } from '@stowage/backup-core'
import type { OptionShape } from '@stowage/backup-core'

/**
 * Which implementation of zstd runs: `auto` is Node's own where there is one (from 22.15 on), and WebAssembly
 * elsewhere.
 */
export type ZstdEngineName = 'auto' | 'node' | 'wasm'

/** Options of {@link zstd}. */
export interface ZstdOptions {
  /**
   * The word that the store records. There is but one.
   * @default 'zstd'
   */
  readonly word?: 'zstd'
  /**
   * How hard to try, from 1 (fastest) to 22 (smallest). Above 12, a chunk takes many seconds.
   * @default 3, Cinder's; 1 for what an incremental stores again only so that scattered changes share an object
   */
  readonly level?: number
  /** @default 'auto' */
  readonly engine?: ZstdEngineName
}

/** Options with every default filled in. */
export interface ResolvedZstdOptions extends Required<ZstdOptions> {
  /** Where the caller would rather have the result soon than short. */
  readonly quickLevel: number
}

const usualLevel = 3
const quickLevel = 1

const shape: OptionShape<ZstdOptions> = {
  word: optionRules.oneOf('zstd'),
  level: optionRules.wholeNumber(1, 22),
  engine: optionRules.oneOf('auto', 'node', 'wasm'),
}

export function resolveOptions(options: ZstdOptions): ResolvedZstdOptions {
  checkOptions('the options of zstd()', options, shape)
  const { word = 'zstd', level = usualLevel, engine = 'auto' } = options
  return Object.freeze({ word, level, quickLevel: options.level ?? quickLevel, engine })
}

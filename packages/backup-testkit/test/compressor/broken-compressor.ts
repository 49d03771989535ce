import type { Compressor } from '@stowage/backup-core'
import type { CompressorConformanceOptions } from '../../src/compressor/index.js'
import { sound } from './sound-compressor.js'

/** A compressor with one fault, and the tests that must find it. */
export interface BrokenCompressor {
  readonly fault: string
  readonly foundBy: readonly string[]
  readonly create: () => Compressor
  /** Options for the suite. */
  readonly options?: Partial<CompressorConformanceOptions>
}

/** A sound compressor but for what is given. */
export const but =
  (overrides: Partial<Compressor>): (() => Compressor) =>
  () => ({ ...sound, ...overrides })

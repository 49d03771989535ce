import { abortTests } from './aborts.js'
import { bombTests } from './bombs.js'
import { compressingTests } from './compressing.js'
import { damageTests } from './damage.js'
import { goldenTests } from './golden.js'
import { inputTests } from './inputs.js'
import { lendingTests } from './lending.js'
import { mainThreadTests } from './main-thread.js'
import { nameTests } from './names.js'
import { partsTests } from './parts.js'
import { programTests } from './programs.js'
import { progressTests } from './progress.js'
import { roundTripTests } from './round-trips.js'
import { streamEndTests } from './stream-ends.js'
import { streamFaultTests } from './stream-faults.js'
import { streamTests } from './streams.js'
import type { CompressorConformanceOptions } from './types.js'

/**
 * Registers the tests that every {@link Compressor} must pass: what core relies on when it hands a chunk over.
 *
 * Nothing is skipped: a compressor that fails one of these tests loses somebody's data, or their memory.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest'
 * import { compressorConformance } from '@stowage/backup-testkit'
 * import { lz4 } from '../src/index.js'
 *
 * compressorConformance({ describe, it, create: () => lz4() })
 * ```
 */
export function compressorConformance(options: CompressorConformanceOptions): void {
  options.describe(`compressor conformance${options.label === undefined ? '' : `: ${options.label}`}`, () => {
    nameTests(options)
    roundTripTests(options)
    compressingTests(options)
    lendingTests(options)
    partsTests(options)
    inputTests(options)
    damageTests(options)
    bombTests(options)
    abortTests(options)
    progressTests(options)
    streamTests(options)
    streamFaultTests(options)
    streamEndTests(options)
    mainThreadTests(options)
    goldenTests(options)
    programTests(options)
  })
}

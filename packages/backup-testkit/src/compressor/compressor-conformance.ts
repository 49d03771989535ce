import { abortTests } from './aborts.js'
import { bombTests } from './bombs.js'
import { compressingTests } from './compressing.js'
import { damageTests } from './damage.js'
import { goldenTests } from './golden.js'
import { inputTests } from './inputs.js'
import { callerBufferTests } from './caller-buffers.js'
import { mainThreadTests } from './main-thread.js'
import { nameTests } from './names.js'
import { optionalMethodTests } from './optional-methods.js'
import { partsTests } from './parts.js'
import { programTests } from './programs.js'
import { progressTests } from './progress.js'
import { roundTripTests } from './round-trips.js'
import { streamEndTests } from './stream-ends.js'
import { streamFaultTests } from './stream-faults.js'
import { streamTests } from './streams.js'
import type { CompressorConformanceOptions } from './types.js'

/**
 * Registers the tests that every {@link Compressor} must pass: everything that core relies on.
 *
 * Only tests of methods that the compressor does not have are skipped. A failure means lost data or unbounded memory.
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
    optionalMethodTests(options)
    roundTripTests(options)
    compressingTests(options)
    callerBufferTests(options)
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

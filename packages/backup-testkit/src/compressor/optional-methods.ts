import assert from 'node:assert/strict'
import type { ConformanceIt } from '../runner.js'
import { withCompressor } from './expectations.js'
import type { CompressorConformanceOptions } from './types.js'

/** The methods that a compressor may leave out, by the option that declares them. */
const methods = { streams: 'decompressStream', parts: 'compressParts' } as const

/** Returns an `it` for tests of an optional method: it registers them as skipped unless the option declares the method. */
export function itWith(
  { it, ...options }: CompressorConformanceOptions,
  need: keyof typeof methods,
): ConformanceIt {
  if (options[need] === true) return it
  return (name, body) => it.skip?.(`${name} (skipped: \`${need}\` is not set)`, body)
}

/** Tests that the compressor has the optional methods that the options declare, and no other. */
export function optionalMethodTests(options: CompressorConformanceOptions): void {
  options.describe('its optional methods', () => {
    for (const need of ['streams', 'parts'] as const) {
      const method = methods[need]
      options.it(`include ${method} exactly where \`${need}\` is true`, () =>
        withCompressor(options, (compressor) => {
          const isDeclared = options[need] === true
          const advice = isDeclared
            ? `implement it, or leave \`${need}\` out`
            : `set \`${need}: true\` to test it`
          assert.equal(compressor[method] !== undefined, isDeclared, `whether it has ${method}: ${advice}`)
        }),
      )
    }
  })
}

import assert from 'node:assert/strict'
import { compressorProblem } from '@stowage/backup-core'
import { withCompressor } from './expectations.js'
import type { CompressorConformanceOptions } from './types.js'

export function nameTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('its name and aliases', () => {
    it('are accepted by drivers', () =>
      withCompressor(options, (compressor) => {
        const { cinderCompatible } = compressor
        assert.ok(
          [undefined, true, false].includes(cinderCompatible),
          `cinderCompatible must be true, false or left out, not ${String(cinderCompatible)}`,
        )
        assert.equal(compressorProblem(compressor), undefined)
      }))
  })
}

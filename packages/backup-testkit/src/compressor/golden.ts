import { assertSameBytes, withCompressor } from './expectations.js'
import type { CompressorConformanceOptions } from './types.js'

export function goldenTests(options: CompressorConformanceOptions): void {
  const { describe, it, golden = [] } = options
  if (golden.length === 0) return

  describe('the streams of other programs', () => {
    for (const { name, raw, compressed } of golden) {
      it(`open to their bytes: ${name}`, () =>
        withCompressor(options, async (compressor) => {
          assertSameBytes(await compressor.decompress(compressed, raw.length), raw, name)
        }))
    }
  })
}

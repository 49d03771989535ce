import assert from 'node:assert/strict'
import { assertSameBytes, assertSound, mustCompress, withCompressor } from './expectations.js'
import { diskImage, noise, prose, samples } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const noiseLengthsBytes = [0, 1, 2, 100, 5_000, 65_536, 300_001, 1_048_577]

export function compressingTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('compress', () => {
    for (const [name, make] of [
      ['zeros', () => new Uint8Array(600_000)],
      ['text', () => prose(600_000)],
      ['a disk image', () => diskImage(1_300_001)],
      ['noise that is followed by as many zeros', () => noiseThenZeros(400_000)],
    ] as const) {
      it(`returns a shorter result, which decompresses to the input, for ${name}`, () =>
        withCompressor(options, async (compressor) => {
          const bytes = make()
          const compressed = await mustCompress(compressor, bytes)
          assert.ok(compressed.length < bytes.length, `${bytes.length} bytes became ${compressed.length}`)
          assertSameBytes(await compressor.decompress(compressed, bytes.length), bytes, name)
        }))
    }

    it('returns null or a shorter result for noise of any length', () =>
      withCompressor(options, async (compressor) => {
        for (const length of noiseLengthsBytes) {
          const bytes = noise(length, 11)
          await assertSound(compressor, bytes, await compressor.compress(bytes), `${length} bytes of noise`)
        }
      }))

    it('returns null or a shorter result where speed matters more than length', () =>
      withCompressor(options, async (compressor) => {
        for (const { name, bytes } of samples()) {
          await assertSound(compressor, bytes, await compressor.compress(bytes, { preferSpeed: true }), name)
        }
      }))

    it('leaves its input as it was', () =>
      withCompressor(options, async (compressor) => {
        for (const bytes of [noise(300_001), prose(300_000), new Uint8Array(300_000)]) {
          const before = bytes.slice()
          await compressor.compress(bytes)
          assertSameBytes(bytes, before, 'the input of compress')
        }
      }))
  })
}

function noiseThenZeros(noiseLengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(2 * noiseLengthBytes)
  bytes.set(noise(noiseLengthBytes, 13))
  return bytes
}

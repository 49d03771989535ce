import assert from 'node:assert/strict'
import { assertSameBytes, assertSound, mustCompress, withCompressor } from './expectations.js'
import { diskImage, noise, prose, samples } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const largeChunkSizeBytes = 52_428_800

export function roundTripTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('a round trip', () => {
    for (const { name, bytes } of samples()) {
      it(`returns ${name}, or null`, () => roundTrip(options, bytes))
    }

    it('shrinks zeros and text', () =>
      withCompressor(options, async (compressor) => {
        for (const bytes of [new Uint8Array(200_000), prose(200_000)]) {
          const compressed = await mustCompress(compressor, bytes)
          assert.ok(compressed.length < bytes.length / 2, `${bytes.length} bytes became ${compressed.length}`)
        }
      }))

    it('returns exactly the expected length, in memory that the caller may keep', () =>
      withCompressor(options, async (compressor) => {
        const first = prose(70_000, 5)
        const second = prose(70_000, 6)
        const firstCompressed = await mustCompress(compressor, first)
        const firstCopy = firstCompressed.slice()
        const secondCompressed = await mustCompress(compressor, second)
        assertSameBytes(firstCompressed, firstCopy, 'a compressed result after a later call')
        const firstAgain = await compressor.decompress(firstCompressed, first.length)
        const secondAgain = await compressor.decompress(secondCompressed, second.length)
        assertSameBytes(firstAgain, first, 'a decompressed result after a later call')
        assertSameBytes(secondAgain, second, 'the later result')
      }))

    if (options.large === true) {
      const largeSamples: [string, () => Uint8Array][] = [
        ['zeros', () => new Uint8Array(largeChunkSizeBytes)],
        ['a disk image', () => diskImage(largeChunkSizeBytes)],
        ['noise', () => noise(largeChunkSizeBytes)],
      ]
      for (const [name, make] of largeSamples) {
        it(`returns 50 MiB of ${name}`, () => roundTrip(options, make()))
      }
    }
  })
}

async function roundTrip(options: CompressorConformanceOptions, bytes: Uint8Array): Promise<void> {
  await withCompressor(options, async (compressor) => {
    await assertSound(compressor, bytes, await compressor.compress(bytes), 'the round trip')
  })
}

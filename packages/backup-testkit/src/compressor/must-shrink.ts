import assert from 'node:assert/strict'
import type { Compressor } from '@stowage/backup-core'
import { assertSameBytes, withCompressor } from './expectations.js'
import { diskImage, noise, prose, samples } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const noiseLengthsBytes = [0, 1, 2, 100, 5_000, 65_536, 300_001, 1_048_577]

export function mustShrinkTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('a result that must shrink', () => {
    for (const [name, make] of [
      ['zeros', () => new Uint8Array(600_000)],
      ['text', () => prose(600_000)],
      ['a disk image', () => diskImage(1_300_001)],
      ['noise that is followed by as many zeros', () => noiseThenZeros(400_000)],
    ] as const) {
      it(`is shorter than its input, and opens to it, where that is ${name}`, () =>
        withCompressor(options, async (compressor) => {
          const bytes = make()
          const compressed = await compressor.compress(bytes, { mustShrink: true })
          assert.ok(compressed.length < bytes.length, `${bytes.length} bytes became ${compressed.length}`)
          assertSameBytes(await compressor.decompress(compressed, bytes.length), bytes, name)
        }))
    }

    it('is a sound one or the input itself, where the input is noise', () =>
      withCompressor(options, async (compressor) => {
        for (const length of noiseLengthsBytes) {
          const bytes = noise(length, 11)
          const result = await compressor.compress(bytes, { mustShrink: true })
          await assertUsable(compressor, bytes, result, `${length} bytes of noise`)
        }
      }))

    it('is a sound one or the input itself, whatever the input', () =>
      withCompressor(options, async (compressor) => {
        for (const { name, bytes } of samples()) {
          const result = await compressor.compress(bytes, { mustShrink: true })
          await assertUsable(compressor, bytes, result, name)
        }
      }))

    it('leaves its input as it was', () =>
      withCompressor(options, async (compressor) => {
        for (const bytes of [noise(300_001), prose(300_000), new Uint8Array(300_000)]) {
          const before = bytes.slice()
          await compressor.compress(bytes, { mustShrink: true })
          assertSameBytes(bytes, before, 'the input of compress')
        }
      }))
  })

  describe('a result that is rather had soon than short', () => {
    for (const mustShrink of [false, true]) {
      it(`is a sound one ${mustShrink ? 'or the input itself, where it must shrink' : 'where it need not shrink'}`, () =>
        withCompressor(options, async (compressor) => {
          for (const { name, bytes } of samples()) {
            const result = await compressor.compress(bytes, { preferSpeed: true, mustShrink })
            if (mustShrink) await assertUsable(compressor, bytes, result, name)
            else assertSameBytes(await compressor.decompress(result, bytes.length), bytes, name)
          }
        }))
    }
  })

  describe('a result that need not shrink', () => {
    for (const [name, compressOptions] of [
      ['where nothing is said', undefined],
      ['where mustShrink is false', { mustShrink: false }],
    ] as const) {
      it(`can always be opened, of noise of any length, ${name}`, () =>
        withCompressor(options, async (compressor) => {
          for (const length of noiseLengthsBytes) {
            const bytes = noise(length, 12)
            const compressed = await compressor.compress(bytes, compressOptions)
            const opened = await compressor.decompress(compressed, length)
            assertSameBytes(opened, bytes, `${length} bytes of noise`)
          }
        }))
    }
  })
}

/**
 * Asserts what a caller may rely on who asked for a result that must shrink: one that is shorter is stored, and so has
 * to open; one that is not is thrown away for the input, and is a whole one or that input.
 */
export async function assertUsable(
  compressor: Compressor,
  input: Uint8Array,
  result: Uint8Array,
  what: string,
): Promise<void> {
  assert.ok(result instanceof Uint8Array, `${what}: the result must be a Uint8Array`)
  if (result.length === input.length && Buffer.compare(result, input) === 0) return
  let opened: Uint8Array
  try {
    opened = await compressor.decompress(result, input.length)
  } catch (cause) {
    const message = `${what}: ${input.length} bytes became ${result.length}, which are neither the input nor open to it`
    throw new assert.AssertionError({ message: `${message}: ${String(cause)}` })
  }
  assertSameBytes(opened, input, what)
}

function noiseThenZeros(noiseLengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(2 * noiseLengthBytes)
  bytes.set(noise(noiseLengthBytes, 13))
  return bytes
}

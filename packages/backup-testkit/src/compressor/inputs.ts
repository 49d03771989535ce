import assert from 'node:assert/strict'
import { assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { diskImage, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 400_000

export function inputTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('the input', () => {
    it('is not changed by compressing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const before = bytes.slice()
        await mustCompress(compressor, bytes)
        assertSameBytes(bytes, before, 'the input of compress')
      }))

    it('is not changed by decompressing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const compressed = Uint8Array.from(await mustCompress(compressor, bytes))
        const before = compressed.slice()
        await compressor.decompress(compressed, bytes.length)
        assertSameBytes(compressed, before, 'the input of decompress')
      }))

    it('is not retained: the caller may overwrite it after the call', () =>
      withCompressor(options, async (compressor) => {
        const bytes = prose(lengthBytes)
        const input = bytes.slice()
        const compressed = await mustCompress(compressor, input)
        const stored = compressed.slice()
        input.fill(0)
        assertSameBytes(compressed, stored, 'the compressed bytes after the input was overwritten')
        const opened = await compressor.decompress(compressed, bytes.length)
        stored.fill(0)
        compressed.fill(0)
        assertSameBytes(opened, bytes, 'the opened bytes after the compressed ones were overwritten')
      }))

    it('is read anew in each call: the same memory may hold other bytes the next time', () =>
      withCompressor(options, async (compressor) => {
        const memory = new Uint8Array(lengthBytes)
        const stored = new Uint8Array(2 * lengthBytes)
        for (const bytes of [diskImage(lengthBytes, 31), new Uint8Array(lengthBytes), prose(lengthBytes)]) {
          memory.set(bytes)
          const compressed = await mustCompress(compressor, memory)
          stored.set(compressed)
          const opened = await compressor.decompress(stored.subarray(0, compressed.length), lengthBytes)
          assertSameBytes(opened, bytes, 'the bytes of this call')
        }
      }))

    it('may be a view into the middle of a larger buffer', () =>
      withCompressor(options, async (compressor) => {
        const whole = diskImage(lengthBytes)
        const view = whole.subarray(1_001, lengthBytes - 777)
        const compressed = await mustCompress(compressor, view)
        const padded = new Uint8Array(compressed.length + 64).fill(0x55)
        padded.set(compressed, 33)
        const stored = padded.subarray(33, 33 + compressed.length)
        assertSameBytes(await compressor.decompress(stored, view.length), view, 'a view')
      }))

    it('may lie in shared memory', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const shared = new Uint8Array(new SharedArrayBuffer(lengthBytes))
        shared.set(bytes)
        const compressed = await mustCompress(compressor, shared)
        const stored = new Uint8Array(new SharedArrayBuffer(compressed.length))
        stored.set(compressed)
        const buffer = new Uint8Array(new SharedArrayBuffer(lengthBytes))
        assertSameBytes(
          await compressor.decompress(stored, lengthBytes, { buffer }),
          bytes,
          'through shared memory',
        )
      }))
  })

  describe('concurrent calls', () => {
    it('each get their own bytes', () =>
      withCompressor(options, async (compressor) => {
        const inputs = Array.from({ length: 12 }, (_, index) => prose(20_000 * (1 + index), 40 + index))
        const opened = await Promise.all(
          inputs.map(async (bytes) =>
            compressor.decompress(await mustCompress(compressor, bytes), bytes.length),
          ),
        )
        for (const [index, bytes] of inputs.entries()) {
          const actual = opened[index]
          assert.ok(actual, `call ${index} gave nothing`)
          assertSameBytes(actual, bytes, `call ${index}`)
        }
      }))

    it('do not fail with one of them', () =>
      withCompressor(options, async (compressor) => {
        const bytes = prose(150_000)
        const compressed = await mustCompress(compressor, bytes)
        const torn = compressed.subarray(0, compressed.length >> 1)
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, (_, index) =>
            compressor.decompress(index % 2 === 0 ? compressed : torn, bytes.length),
          ),
        )
        for (const [index, outcome] of outcomes.entries()) {
          assert.equal(outcome.status, index % 2 === 0 ? 'fulfilled' : 'rejected', `call ${index}`)
          if (outcome.status === 'fulfilled') assertSameBytes(outcome.value, bytes, `call ${index}`)
        }
      }))
  })
}

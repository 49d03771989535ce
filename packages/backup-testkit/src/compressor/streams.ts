import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { assertSameBytes, mustCompress } from './expectations.js'
import { openStream, withStreams } from './opened-stream.js'
import { itWith } from './optional-methods.js'
import { PieceSource } from './piece-source.js'
import { diskImage, noise, prose, pseudoRandom, samples } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

export function streamTests(options: CompressorConformanceOptions): void {
  const { describe, golden = [] } = options
  const it = itWith(options, 'streams')

  describe('decompressStream', () => {
    for (const { name, bytes } of samples()) {
      it(
        `yields the bytes that decompress returns: ${name}`,
        withStreams(options, async (compressor) => {
          const compressed = await compressor.compress(bytes)
          if (compressed === null) return
          for (const pieceBytes of [997, 65_536, compressed.length]) {
            const source = new PieceSource(compressed, pieceBytes)
            const what = `in pieces of ${pieceBytes} bytes`
            assertSameBytes(await openStream(compressor, source, bytes.length), bytes, what)
            assert.ok(!source.isOpen, `${what}: the input was left open`)
            assert.ok(!source.wasWritten, `${what}: the input was written to`)
          }
        }),
      )
    }

    for (const { name, raw, compressed } of golden) {
      it(
        `opens what another program wrote: ${name}`,
        withStreams(options, async (compressor) => {
          for (const pieceBytes of [101, compressed.length]) {
            const source = new PieceSource(compressed, pieceBytes)
            assertSameBytes(await openStream(compressor, source, raw.length), raw, name)
          }
        }),
      )
    }

    it(
      'takes its input byte by byte',
      withStreams(options, async (compressor) => {
        const bytes = smallMix()
        const source = new PieceSource(await mustCompress(compressor, bytes), 1)
        assertSameBytes(await openStream(compressor, source, bytes.length), bytes, 'byte by byte')
      }),
    )

    it(
      'takes pieces of any length, empty ones among them',
      withStreams(options, async (compressor) => {
        const bytes = diskImage(700_001)
        const compressed = await mustCompress(compressor, bytes)
        for (const seed of [21, 22, 23]) {
          const next = pseudoRandom(seed)
          const cut = (): number => (next() % 4 === 0 ? 0 : 1 + (next() % 9_000))
          const opened = await openStream(compressor, new PieceSource(compressed, cut), bytes.length)
          assertSameBytes(opened, bytes, `lengths by the seed ${seed}`)
        }
      }),
    )

    it(
      'takes pieces in shared memory',
      withStreams(options, async (compressor) => {
        const bytes = diskImage(700_001)
        const source = new PieceSource(await mustCompress(compressor, bytes), 10_001, { shared: true })
        assertSameBytes(await openStream(compressor, source, bytes.length), bytes, 'shared pieces')
        assert.ok(!source.wasWritten, 'the input was written to')
      }),
    )

    it(
      'yields pieces that stay unchanged until the next is requested',
      withStreams(options, async (compressor) => {
        const bytes = diskImage(3_000_000)
        const source = new PieceSource(await mustCompress(compressor, bytes), 50_000)
        let end = 0
        for await (const piece of compressor.decompressStream(source, bytes.length)) {
          await pause(2)
          const expected = bytes.subarray(end, end + piece.length)
          assertSameBytes(piece, expected, `the piece at ${end}, after a while`)
          end += piece.length
        }
        assert.equal(end, bytes.length, 'total length')
      }),
    )

    it(
      'decompresses several streams concurrently',
      withStreams(options, async (compressor) => {
        const inputs = Array.from({ length: 5 }, (_, index) => diskImage(90_000 * (index + 1), 60 + index))
        const opened = await Promise.all(
          inputs.map(async (bytes) => {
            const source = new PieceSource(await mustCompress(compressor, bytes), 3_001)
            return openStream(compressor, source, bytes.length)
          }),
        )
        for (const [index, bytes] of inputs.entries()) {
          assertSameBytes(opened[index] ?? new Uint8Array(0), bytes, `stream ${index}`)
        }
      }),
    )

    it(
      'does not read a long input to its end before its output is consumed (backpressure)',
      withStreams(options, async (compressor) => {
        const bytes = diskImage(longLengthBytes)
        const compressed = await mustCompress(compressor, bytes)
        const source = new PieceSource(compressed, 8_192)
        for await (const piece of compressor.decompressStream(source, bytes.length)) {
          assert.ok(piece.length < bytes.length, 'all of the output came in one piece')
          await untilStill(() => source.givenBytes)
          assert.ok(
            source.givenBytes < compressed.length,
            `all ${compressed.length} bytes of the input were read while the first ${piece.length} bytes waited`,
          )
          break
        }
        assert.ok(!source.isOpen, 'the input was left open')
      }),
    )
  })
}

/** Longer than what a compressor buffers that keeps several blocks of a megabyte in flight for each core. */
const longLengthBytes = (4 + 4 * availableParallelism()) * 1024 * 1024

/** Text, noise and zeros. */
function smallMix(): Uint8Array {
  const bytes = new Uint8Array(12_000)
  bytes.set(prose(6_000))
  bytes.set(noise(3_000), 6_000)
  return bytes
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until a number has not changed for a while. */
async function untilStill(read: () => number): Promise<void> {
  for (let still = 0, last = read(); still < 5;) {
    await pause(50)
    const now = read()
    still = now === last ? still + 1 : 0
    last = now
  }
}

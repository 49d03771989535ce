import assert from 'node:assert/strict'
import { isBackupError } from '@stowage/backup-core'
import { assertRejectsWith, assertSameBytes, mustCompress } from './expectations.js'
import { assertStreamRefused, onSample, openStream, withStreams } from './opened-stream.js'
import { itWith } from './optional-methods.js'
import { PieceSource } from './piece-source.js'
import { noise, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 250_000

/** Lengths of the pieces that each fault is tested with; the last is all in one piece. */
const cuts = [512, 30_001, Infinity]

/** The length of a bomb: a valid compressor stops long before its end. */
const endlessBytes = 32 * 1024 * 1024

export function streamFaultTests(options: CompressorConformanceOptions): void {
  const { describe } = options
  const it = itWith(options, 'streams')
  const onStream = onSample(options, lengthBytes)

  describe('decompressStream refuses as OBJECT_CORRUPT', () => {
    for (const [name, expected] of [
      ['one byte more than was expected', lengthBytes - 1],
      ['twice what was expected', lengthBytes >> 1],
      ['something where nothing was expected', 0],
      ['one byte less than was expected', lengthBytes + 1],
      ['half of what was expected', lengthBytes * 2],
    ] as const) {
      it(
        name,
        onStream(async ({ compressor, compressed }) => {
          for (const cut of cuts) await assertStreamRefused(compressor, name, compressed, expected, cut)
        }),
      )
    }

    it(
      'a stream that ends too early, wherever that is',
      onStream(async ({ compressor, compressed, bytes }) => {
        const { length } = compressed
        const kept = [
          1,
          2,
          3,
          4,
          5,
          9,
          length >> 2,
          length >> 1,
          length - 9,
          length - 4,
          length - 2,
          length - 1,
        ]
        for (const keptBytes of kept) {
          const what = `${keptBytes} of ${length} bytes`
          await assertStreamRefused(compressor, what, compressed.subarray(0, keptBytes), bytes.length, 4_099)
        }
      }),
    )

    it(
      'no stream at all',
      withStreams(options, async (compressor) => {
        for (const expected of [0, lengthBytes]) {
          await assertStreamRefused(compressor, 'no pieces', new Uint8Array(0), expected)
        }
        await assertRejectsWith('OBJECT_CORRUPT', 'a piece of nothing', () =>
          openStream(compressor, pieceOfNothing(), 0),
        )
      }),
    )

    for (const [name, bytes] of [
      ['zeros', new Uint8Array(4_096)],
      ['text', prose(4_096)],
      ['noise', noise(4_096)],
    ] as const) {
      it(
        `${name} in place of a stream`,
        withStreams(options, async (compressor) => {
          for (const cut of [1, Infinity])
            await assertStreamRefused(compressor, name, bytes, lengthBytes, cut)
        }),
      )
    }

    for (const [name, tail] of [
      ['a zero byte', new Uint8Array(1)],
      ['a byte of 0xff', Uint8Array.of(0xff)],
      ['zeros', new Uint8Array(1_000)],
      ['noise', noise(1_000)],
    ] as const) {
      it(
        `a stream that is followed by ${name}`,
        onStream(async ({ compressor, compressed, bytes }) => {
          const both = Buffer.concat([compressed, tail])
          for (const cut of [...cuts, compressed.length]) {
            await assertStreamRefused(compressor, name, both, bytes.length, cut)
          }
        }),
      )
    }

    it(
      'a stream that is followed by the same again',
      onStream(async ({ compressor, compressed, bytes }) => {
        const twice = Buffer.concat([compressed, compressed])
        for (const cut of [...cuts, compressed.length]) {
          await assertStreamRefused(compressor, 'twice the stream', twice, bytes.length, cut)
        }
      }),
    )

    it(
      'a bomb, at the first byte beyond the expected length, and does not read on',
      withStreams(options, async (compressor) => {
        const one = await mustCompress(compressor, new Uint8Array(8 * 1024 * 1024))
        const endless = Buffer.alloc(endlessBytes, one)
        for (const expected of [1_000, 1_000_000]) {
          const source = new PieceSource(endless, 1_024)
          await assertRejectsWith('OBJECT_CORRUPT', `a bomb for ${expected} bytes`, () =>
            openStream(compressor, source, expected),
          )
          assert.ok(
            source.givenBytes < endlessBytes / 2,
            `${source.givenBytes} bytes were read for ${expected} bytes of output`,
          )
          assert.ok(!source.isOpen, 'the input was left open')
        }
      }),
    )

    it(
      'a damaged stream where decompress does, and gives the same bytes where it does not',
      onStream(async ({ compressor, compressed, bytes }) => {
        for (let at = 0; at < compressed.length; at += Math.max(1, Math.floor(compressed.length / 23))) {
          const damaged = Uint8Array.from(compressed)
          damaged[at] = (damaged[at] ?? 0) ^ 0x10
          const whole = await opened(() => compressor.decompress(damaged, bytes.length))
          const inPieces = await opened(() =>
            openStream(compressor, new PieceSource(damaged, 10_007), bytes.length),
          )
          const what = `damage at ${at} of ${compressed.length}`
          const found = inPieces === undefined
          assert.equal(found, whole === undefined, `${what}: whether it was found in pieces`)
          if (whole && inPieces) assertSameBytes(inPieces, whole, what)
        }
      }),
    )
  })

  describe('after it refused a stream', () => {
    it(
      'decompressStream still opens a sound one',
      onStream(async ({ compressor, compressed, bytes }) => {
        for (let time = 0; time < 3; time++) {
          const torn = compressed.subarray(0, compressed.length >> 1)
          await assertStreamRefused(compressor, 'half of the stream', torn, bytes.length, 1_000)
        }
        const source = new PieceSource(compressed, 1_000)
        assertSameBytes(await openStream(compressor, source, bytes.length), bytes, 'the sound stream')
      }),
    )
  })
}

async function* pieceOfNothing(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(0))
}

/** The decompressed bytes; undefined for a stream that is refused. */
async function opened(work: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isBackupError(error, 'OBJECT_CORRUPT')) return undefined
    throw error
  }
}

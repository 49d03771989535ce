import type { Compressor } from '@stowage/backup-core'
import { assertRejectsWith, mustCompress, withCompressor } from './expectations.js'
import { diskImage, noise, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 250_000

export function damageTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options
  // One for all tests, since a slow engine takes its time for it.
  let sample: Omit<Stream, 'compressor'> | undefined
  const onStream = (body: (stream: Stream) => Promise<void>) => (): Promise<void> =>
    withCompressor(options, async (compressor) => {
      if (sample === undefined) {
        const bytes = diskImage(lengthBytes)
        sample = { bytes, compressed: (await mustCompress(compressor, bytes)).slice() }
      }
      await body({ compressor, ...sample })
    })

  describe('invalid data', () => {
    for (const [name, bytes] of [
      ['nothing', new Uint8Array(0)],
      ['one zero byte', new Uint8Array(1)],
      ['zeros', new Uint8Array(4_096)],
      ['text', prose(4_096)],
      ['noise', noise(4_096)],
    ] as const) {
      it(`is refused as OBJECT_CORRUPT when it is ${name}`, () =>
        withCompressor(options, (compressor) => refused(compressor, name, bytes, lengthBytes)))
    }
  })

  describe('a stream that was cut short', () => {
    it(
      'is refused as OBJECT_CORRUPT when only its first bytes are left',
      onStream(async (stream) => {
        for (const kept of [1, 2, 3, 4, 5, 8, 13, 21]) await cutTo(stream, kept)
      }),
    )
    it(
      'is refused as OBJECT_CORRUPT when its middle is the end',
      onStream(async (stream) => {
        const { length } = stream.compressed
        for (const part of [0.1, 0.25, 0.5, 0.75, 0.9]) await cutTo(stream, Math.floor(length * part))
      }),
    )
    it(
      'is refused as OBJECT_CORRUPT when only its last bytes are lost',
      onStream(async (stream) => {
        for (const lost of [1, 2, 3, 4, 5, 8, 13]) await cutTo(stream, stream.compressed.length - lost)
      }),
    )
    it('is refused as OBJECT_CORRUPT when the cut lies just behind its data', () =>
      withCompressor(options, async (compressor) => {
        const bytes = new Uint8Array(4_096)
        const compressed = await mustCompress(compressor, bytes)
        for (let kept = 0; kept < compressed.length; kept++) {
          await refused(
            compressor,
            `${kept} of ${compressed.length} bytes`,
            compressed.subarray(0, kept),
            4_096,
          )
        }
      }))
  })

  describe('a stream that is followed by more', () => {
    for (const [name, tail] of [
      ['a zero byte', new Uint8Array(1)],
      ['a byte of 0xff', Uint8Array.of(0xff)],
      ['zeros', new Uint8Array(1_000)],
      ['noise', noise(1_000)],
    ] as const) {
      it(
        `is refused as OBJECT_CORRUPT when that is ${name}`,
        onStream(async (stream) => {
          const { compressor, compressed, bytes } = stream
          await refused(compressor, `followed by ${name}`, joined(compressed, tail), bytes.length)
        }),
      )
    }
    it(
      'is refused as OBJECT_CORRUPT when that is the same stream again',
      onStream(async (stream) => {
        const { compressor, compressed, bytes } = stream
        await refused(compressor, 'twice the stream', joined(compressed, compressed), bytes.length)
      }),
    )
  })

  describe('an expected length that is wrong', () => {
    for (const [name, expected] of [
      ['one byte less than the stream holds', lengthBytes - 1],
      ['half of what the stream holds', lengthBytes >> 1],
      ['nothing', 0],
      ['one byte more than the stream holds', lengthBytes + 1],
      ['twice what the stream holds', lengthBytes * 2],
    ] as const) {
      it(
        `is refused as OBJECT_CORRUPT when it is ${name}`,
        onStream(async (stream) => {
          await refused(stream.compressor, name, stream.compressed, expected)
          const buffer = new Uint8Array(lengthBytes * 2)
          await assertRejectsWith('OBJECT_CORRUPT', `${name}, with a buffer of the caller`, () =>
            stream.compressor.decompress(stream.compressed, expected, { buffer }),
          )
        }),
      )
    }
  })

  describe('after a refusal', () => {
    it(
      'the same compressor still reads a sound stream',
      onStream(async (stream) => {
        const { compressor, compressed, bytes } = stream
        for (let time = 0; time < 5; time++) await cutTo(stream, compressed.length >> 1)
        const opened = await compressor.decompress(compressed, bytes.length)
        if (Buffer.compare(opened, bytes) !== 0) throw new Error('the sound stream opened to other bytes')
      }),
    )
  })
}

interface Stream {
  readonly compressor: Compressor
  readonly bytes: Uint8Array
  readonly compressed: Uint8Array
}

const refused = (compressor: Compressor, what: string, bytes: Uint8Array, expected: number): Promise<void> =>
  assertRejectsWith('OBJECT_CORRUPT', what, () => compressor.decompress(bytes, expected))

const cutTo = ({ compressor, compressed, bytes }: Stream, kept: number): Promise<void> =>
  refused(
    compressor,
    `cut to ${kept} of ${compressed.length} bytes`,
    compressed.subarray(0, kept),
    bytes.length,
  )

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

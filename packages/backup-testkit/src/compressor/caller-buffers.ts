import assert from 'node:assert/strict'
import type { Compressor } from '@stowage/backup-core'
import {
  assertRejectsWith,
  assertSameBytes,
  assertSound,
  mustCompress,
  withCompressor,
} from './expectations.js'
import { CallerBuffer, memoryKinds } from './caller-buffer.js'
import { diskImage, noise, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 600_000

const bufferLengths = [
  ['just long enough', 0],
  ['longer than needed', 123_456],
  ['too short', -1],
] as const

export function callerBufferTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('a buffer of the caller', () => {
    for (const kind of memoryKinds) {
      for (const [name, extraBytes] of bufferLengths) {
        it(`for compress, in ${kind}, ${name}: the result is valid and no byte outside is written`, () =>
          withCompressor(options, (compressor) => compressInto(compressor, kind, extraBytes)))

        it(`for decompress, in ${kind}, ${name}: the bytes are right and no byte outside is written`, () =>
          withCompressor(options, async (compressor) => {
            for (const bytes of shrinkingInputs()) {
              const compressed = (await mustCompress(compressor, bytes)).slice()
              const callerBuffer = new CallerBuffer(kind, bytes.length + extraBytes)
              const opened = await compressor.decompress(compressed, bytes.length, {
                buffer: callerBuffer.view,
              })
              callerBuffer.assertNothingOutside('decompress', opened)
              compressed.fill(0)
              callerBuffer.overwriteRest(opened)
              assertSameBytes(opened, bytes, 'decompress')
            }
          }))
      }

      it(`in ${kind}: no byte outside is written for a stream that is refused`, () =>
        withCompressor(options, async (compressor) => {
          const bytes = diskImage(lengthBytes)
          const compressed = await mustCompress(compressor, bytes)
          for (const [expected, length] of [
            [lengthBytes - 1, compressed.length],
            [lengthBytes >> 1, compressed.length],
            [lengthBytes + 1, compressed.length],
            [lengthBytes, compressed.length - 1],
            [lengthBytes, compressed.length >> 1],
          ] as const) {
            const callerBuffer = new CallerBuffer(kind, expected)
            const what = `${length} bytes of the stream for ${expected}`
            await assertRejectsWith('OBJECT_CORRUPT', what, () =>
              compressor.decompress(compressed.subarray(0, length), expected, { buffer: callerBuffer.view }),
            )
            callerBuffer.assertNothingOutside(what)
          }
        }))

      it(`in ${kind}: concurrent calls with a buffer each do not disturb each other`, () =>
        withCompressor(options, async (compressor) => {
          const parts = shrinkingInputs().map((bytes) => ({
            bytes,
            callerBuffer: new CallerBuffer(kind, bytes.length),
          }))
          const opened = await Promise.all(
            parts.map(async ({ bytes, callerBuffer }) => {
              const compressed = await mustCompress(compressor, bytes)
              return compressor.decompress(compressed, bytes.length, { buffer: callerBuffer.view })
            }),
          )
          for (const [index, { bytes, callerBuffer }] of parts.entries()) {
            const result = opened[index]
            assert.ok(result, `call ${index} gave nothing`)
            callerBuffer.assertNothingOutside(`call ${index}`, result)
            assertSameBytes(result, bytes, `call ${index}`)
          }
        }))
    }

    it('may hold the bytes of an earlier call', () =>
      withCompressor(options, async (compressor) => {
        const buffer = new Uint8Array(new SharedArrayBuffer(lengthBytes))
        for (const bytes of shrinkingInputs()) {
          const compressed = Uint8Array.from(await mustCompress(compressor, bytes, { buffer }))
          const opened = await compressor.decompress(compressed, bytes.length, { buffer })
          assertSameBytes(opened, bytes, 'through one memory')
        }
      }))

    it('is not written after the call ended, by an abort or a refusal', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(4 * lengthBytes)
        const compressed = (await mustCompress(compressor, bytes)).slice()
        const torn = compressed.subarray(0, compressed.length - 1)
        const buffers = Array.from(
          { length: 3 },
          () => new Uint8Array(new SharedArrayBuffer(bytes.length)),
        ) as [Uint8Array, Uint8Array, Uint8Array]
        const [forCompress, forDecompress, forTorn] = buffers
        const controller = new AbortController()
        const { signal } = controller
        const ended = [
          overwritten(mustCompress(compressor, bytes, { signal, buffer: forCompress }), forCompress),
          overwritten(
            compressor.decompress(compressed, bytes.length, { signal, buffer: forDecompress }),
            forDecompress,
          ),
          overwritten(compressor.decompress(torn, bytes.length, { buffer: forTorn }), forTorn),
        ]
        setImmediate(() => {
          controller.abort()
        })
        await Promise.all(ended)
        // Work that continues after the calls ended has the time of two more calls to write.
        for (let time = 0; time < 2; time++) {
          await compressor.decompress(await mustCompress(compressor, bytes), bytes.length)
        }
        for (const buffer of buffers) {
          assert.ok(
            buffer.every((byte) => byte === 0x55),
            'the buffer was written after the call ended',
          )
        }
      }))
  })
}

const shrinkingInputs = (): readonly Uint8Array[] => [
  diskImage(lengthBytes),
  prose(lengthBytes - 1),
  new Uint8Array(lengthBytes - 3),
]

const inputs = (): readonly Uint8Array[] => [...shrinkingInputs(), noise(lengthBytes - 2), noise(7)]

async function compressInto(
  compressor: Compressor,
  kind: (typeof memoryKinds)[number],
  extraBytes: number,
): Promise<void> {
  for (const bytes of inputs()) {
    const input = bytes.slice()
    const callerBuffer = new CallerBuffer(kind, bytes.length + extraBytes)
    const result = await compressor.compress(input, { buffer: callerBuffer.view })
    callerBuffer.assertNothingOutside('compress', result ?? undefined)
    if (result === null) continue
    callerBuffer.overwriteRest(result)
    input.fill(0)
    await assertSound(compressor, bytes, result, 'compress')
  }
}

/** Waits for a call to end, and overwrites the buffer that it got, which belongs to the caller again. */
async function overwritten(call: Promise<unknown>, buffer: Uint8Array): Promise<void> {
  await call.catch(() => undefined)
  buffer.fill(0x55)
}

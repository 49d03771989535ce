import assert from 'node:assert/strict'
import type { Compressor } from '@stowage/backup-core'
import {
  assertRejectsWith,
  assertSameBytes,
  assertSound,
  mustCompress,
  withCompressor,
} from './expectations.js'
import { LentMemory, memoryKinds } from './lent-memory.js'
import { diskImage, noise, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 600_000

const lentLengths = [
  ['just long enough', 0],
  ['longer than needed', 123_456],
  ['too short', -1],
] as const

export function lendingTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('memory that the caller lends', () => {
    for (const kind of memoryKinds) {
      for (const [name, extraBytes] of lentLengths) {
        it(`for compressing, ${kind}, ${name}, leads to a sound result and no write beside it`, () =>
          withCompressor(options, (compressor) => compressInto(compressor, kind, extraBytes)))

        it(`for decompressing, ${kind}, ${name}, leads to the same bytes and no write beside it`, () =>
          withCompressor(options, async (compressor) => {
            for (const bytes of shrinkingInputs()) {
              const compressed = (await mustCompress(compressor, bytes)).slice()
              const lent = new LentMemory(kind, bytes.length + extraBytes)
              const opened = await compressor.decompress(compressed, bytes.length, { buffer: lent.view })
              lent.assertKeptTo('decompress', opened)
              compressed.fill(0)
              lent.takeBack(opened)
              assertSameBytes(opened, bytes, 'decompress')
            }
          }))
      }

      it(`for a stream that is refused, ${kind}, is not written beside`, () =>
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
            const lent = new LentMemory(kind, expected)
            const what = `${length} bytes of the stream for ${expected}`
            await assertRejectsWith('OBJECT_CORRUPT', what, () =>
              compressor.decompress(compressed.subarray(0, length), expected, { buffer: lent.view }),
            )
            lent.assertKeptTo(what)
          }
        }))

      it(`may be ${kind} that several calls share among them`, () =>
        withCompressor(options, async (compressor) => {
          const parts = shrinkingInputs().map((bytes) => ({
            bytes,
            lent: new LentMemory(kind, bytes.length),
          }))
          const opened = await Promise.all(
            parts.map(async ({ bytes, lent }) => {
              const compressed = await mustCompress(compressor, bytes)
              return compressor.decompress(compressed, bytes.length, { buffer: lent.view })
            }),
          )
          for (const [index, { bytes, lent }] of parts.entries()) {
            const result = opened[index]
            assert.ok(result, `call ${index} gave nothing`)
            lent.assertKeptTo(`call ${index}`, result)
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

    it('is not written to any more when the call has ended, by an abort or a refusal', () =>
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
        // Whatever goes on behind the calls' ends has the time of two more calls to show itself.
        for (let time = 0; time < 2; time++) {
          await compressor.decompress(await mustCompress(compressor, bytes), bytes.length)
        }
        for (const buffer of buffers) {
          assert.ok(
            buffer.every((byte) => byte === 0x55),
            'lent memory was written after its call ended',
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
    const lent = new LentMemory(kind, bytes.length + extraBytes)
    const result = await compressor.compress(input, { buffer: lent.view })
    lent.assertKeptTo('compress', result ?? undefined)
    if (result === null) continue
    lent.takeBack(result)
    input.fill(0)
    await assertSound(compressor, bytes, result, 'compress')
  }
}

/** Waits for a call, and overwrites the memory that it was lent as soon as it is the lender's again. */
async function overwritten(call: Promise<unknown>, buffer: Uint8Array): Promise<void> {
  await call.catch(() => undefined)
  buffer.fill(0x55)
}

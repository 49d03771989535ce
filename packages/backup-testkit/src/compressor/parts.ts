import assert from 'node:assert/strict'
import type { Compressor } from '@stowage/backup-core'
import { assertAborted, assertSameBytes, assertSound, withCompressor } from './expectations.js'
import { CallerBuffer, memoryKinds } from './caller-buffer.js'
import { itWith } from './optional-methods.js'
import { diskImage, noise, prose, pseudoRandom, samples } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

/** A compressor with `compressParts`. */
type PartsCompressor = Compressor & Required<Pick<Compressor, 'compressParts'>>

export function partsTests(options: CompressorConformanceOptions): void {
  const { describe } = options
  const it = itWith(options, 'parts')

  /** Makes a compressor with `compressParts`, and passes it to `body`. */
  const withParts = (body: (compressor: PartsCompressor) => Promise<void>) => () =>
    withCompressor(options, async (compressor) => {
      assert.ok(takesParts(compressor), 'the compressor has no compressParts')
      await body(compressor)
    })

  describe('compressParts', () => {
    for (const { name, bytes } of samples()) {
      it(
        `returns null, or what decompresses to the parts in their order: ${name}`,
        withParts(async (compressor) => {
          for (const [cutting, parts] of Object.entries(cuttings(bytes))) {
            for (const preferSpeed of [false, true]) {
              const result = await compressor.compressParts(parts, { preferSpeed })
              await assertSound(compressor, bytes, result, cutting)
            }
          }
        }),
      )
    }

    it(
      'shrinks text and zeros',
      withParts(async (compressor) => {
        for (const bytes of [prose(600_000), new Uint8Array(600_000)]) {
          const result = await compressor.compressParts(apart(bytes, [250_000]))
          assert.ok(result !== null && result.length < bytes.length, 'it did not shrink')
        }
      }),
    )

    it(
      'leaves its parts as they were',
      withParts(async (compressor) => {
        const bytes = diskImage(600_000)
        const parts = apart(bytes, [1, 300_000])
        await compressor.compressParts(parts)
        assertSameBytes(Buffer.concat(parts), bytes, 'the parts')
      }),
    )

    for (const kind of memoryKinds) {
      it(
        `writes nothing outside the caller’s buffer, in ${kind}, long enough or not`,
        withParts(async (compressor) => {
          for (const bytes of [diskImage(600_000), noise(300_000), prose(7)]) {
            for (const extraBytes of [-1, 0, 123_456]) {
              const callerBuffer = new CallerBuffer(kind, bytes.length + extraBytes)
              const parts = apart(bytes, [bytes.length >> 1])
              const result = await compressor.compressParts(parts, { buffer: callerBuffer.view })
              callerBuffer.assertNothingOutside('compressParts', result ?? undefined)
              if (result === null) continue
              callerBuffer.overwriteRest(result)
              for (const part of parts) part.fill(0)
              await assertSound(compressor, bytes, result, `${bytes.length} bytes in two parts`)
            }
          }
        }),
      )
    }

    it(
      'ends with ABORTED where the abort came before the call',
      withParts(async (compressor) => {
        const signal = AbortSignal.abort()
        await assertAborted(signal, 'compressParts', () =>
          compressor.compressParts([prose(1_000), noise(1_000)], { signal }),
        )
      }),
    )
  })
}

const takesParts = (compressor: Compressor): compressor is PartsCompressor =>
  compressor.compressParts !== undefined

/** The same bytes in one part and in many, of which some are empty, short, or end where others like to cut. */
function cuttings(bytes: Uint8Array): Readonly<Record<string, readonly Uint8Array[]>> {
  const next = pseudoRandom(17)
  const places = Array.from({ length: 9 }, () => next() % (bytes.length + 1)).sort((a, b) => a - b)
  return {
    'in one part': apart(bytes, []),
    'in two': apart(bytes, [bytes.length >> 1]),
    'with empty ones at both ends': apart(bytes, [0, bytes.length]),
    'with single bytes, and a piece of 64 KiB': apart(bytes, [1, 2, 65_538]),
    'in ten of any length': apart(bytes, places),
  }
}

/** Copies that lie in memory of their own, as the pieces of a chunk do: shared, and not in their order. */
function apart(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places, bytes.length]
  return ends.map((end, index) => {
    const part = bytes.subarray(ends[index - 1] ?? 0, end)
    const copy = new Uint8Array(new SharedArrayBuffer(part.length))
    copy.set(part)
    return copy
  })
}

import { randomBytes } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zlib } from '../src/index.js'

const pieceBytes = 512 * 1024
const text = (length: number): Buffer => Buffer.alloc(length, 'a chunk of a backup of a volume, once more; ')

/** Runs of zeros, text and noise whose ends fall on, before and behind those of the pieces. */
const image = fc
  .array(
    fc.record({
      kind: fc.constantFrom('zeros', 'text', 'noise'),
      length: fc.oneof(
        fc.integer({ min: 1, max: 70_000 }),
        fc.constantFrom(pieceBytes - 1, pieceBytes, pieceBytes + 1, 2 * pieceBytes),
      ),
    }),
    { maxLength: 6 },
  )
  .map((runs) =>
    Buffer.concat([
      ...runs.map(({ kind, length }) =>
        kind === 'zeros' ? Buffer.alloc(length) : kind === 'text' ? text(length) : randomBytes(length),
      ),
      // So that each of them shrinks.
      text(60_000),
    ]),
  )

describe('a stream joined from pieces', () => {
  it('is one zlib stream to any reader, whatever the pieces hold', async () => {
    await fc.assert(
      fc.asyncProperty(image, fc.integer({ min: 1, max: 9 }), async (bytes, level) => {
        const compressed = (await zlib({ level }).compress(bytes))!
        expect(inflateSync(compressed).equals(bytes)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  for (const engine of ['node', 'pako'] as const) {
    it(`is one zlib stream to any reader, wherever the parts of its input are cut: ${engine}`, async () => {
      await fc.assert(
        fc.asyncProperty(image, fc.array(fc.nat(), { maxLength: 5 }), async (bytes, places) => {
          const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length]
          ends.sort((a, b) => a - b)
          const parts = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
          const compressed = (await zlib({ engine, level: 1 }).compressParts?.(parts))!
          expect(inflateSync(compressed).equals(bytes)).toBe(true)
        }),
        { numRuns: 20 },
      )
    })
  }

  it('refers across the seams of its input’s parts', async () => {
    const unique = randomBytes(16_000)
    const parts = [Buffer.concat([text(100_000), unique]), Buffer.concat([unique, text(100_000)])]
    const compressed = (await zlib().compressParts?.(parts))!
    expect(compressed.length).toBeLessThan(unique.length * 1.3)
  })

  it('is as small as a stream made in one go, or within a hundredth of it', async () => {
    const parts = Array.from({ length: 40 }, (_, index) =>
      index % 4 === 0 ? randomBytes(50_000) : text(30_000 + index),
    )
    const bytes = Buffer.concat(parts)
    const joined = (await zlib().compress(bytes))!
    expect(joined.length).toBeLessThan(deflateSync(bytes).length * 1.01)
  })

  it('refers across the seams of its pieces', async () => {
    const unique = randomBytes(16_000)
    const bytes = Buffer.concat([text(pieceBytes - unique.length), unique, unique, text(5_000)])
    const compressed = (await zlib().compress(bytes))!
    expect(compressed.length).toBeLessThan(unique.length * 1.3)
  })

  it('costs a tenth of a percent for a chunk of zeros, and little more than itself for noise', async () => {
    expect((await zlib().compress(new Uint8Array(8 * pieceBytes)))!.length).toBeLessThan(
      (8 * pieceBytes) / 980,
    )
    const noise = randomBytes(8 * pieceBytes)
    const withZeros = Buffer.concat([noise, new Uint8Array(pieceBytes)])
    expect((await zlib().compress(withZeros))!.length).toBeLessThan(noise.length * 1.0004)
  })
})

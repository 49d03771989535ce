import { randomBytes } from 'node:crypto'
import type { Compressor } from '@stowage/backup-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { marksOf } from './marks-of.js'
import type { Bz2Options } from '@stowage/compression-bz2'
import { looksLikeNoise } from '../src/noise.js'
import { golden } from './golden.js'

const text = (length: number): Buffer => Buffer.alloc(length, 'a chunk of a backup of a volume, once more; ')
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const kindsOfMarks = async (bytes: Uint8Array): Promise<string[]> =>
  (await marksOf(bytes)).map(({ kind }) => kind)

/** At level 1 a piece is 99,981 bytes: runs of zeros, text and noise end on, before and behind its ends. */
const image = fc
  .array(
    fc.record({
      kind: fc.constantFrom('zeros', 'text', 'noise'),
      length: fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.constantFrom(99_980, 99_981, 99_982, 199_962)),
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

/** An engine, and how much of it is asked. */
export interface EngineSuiteOptions {
  /** Makes the compressor that runs it. */
  readonly create: (options?: Bz2Options) => Compressor
  /** How many images are compressed. */
  readonly imageCount: number
  /** Which bits of two streams are flipped: 1 is each of them, 5 every fifth. */
  readonly everyNthBit: number
  /** How long a chunk of text or of noise is, in bytes. */
  readonly chunkSizeBytes: number
}

/** What every engine has to do behind bzip2's streams, beside what every compressor has to. */
export function engineSuite({ create, imageCount, everyNthBit, chunkSizeBytes }: EngineSuiteOptions): void {
  const compressor = create()

  describe('streams in a row', () => {
    it('open to what was compressed, whatever the pieces hold', async () => {
      await fc.assert(
        fc.asyncProperty(image, fc.constantFrom(1, 2, 9), async (bytes, level) => {
          const compressed = (await create({ level }).compress(bytes))!
          expect(equal(await compressor.decompress(compressed, bytes.length), bytes)).toBe(true)
        }),
        { numRuns: imageCount },
      )
    })

    it('are one block each, and so open on all cores', async () => {
      const kinds = await kindsOfMarks((await create({ level: 1 }).compress(text(99_981 * 3)))!)
      expect(kinds).toEqual(['block', 'end', 'block', 'end', 'block', 'end'])
    })

    it('may have different levels, and empty streams among them', async () => {
      const empty = golden('empty.bz2')
      const parts = [golden('text.bz2'), empty, golden('blocks.level1.bz2'), empty, empty, golden('one.bz2')]
      const bytes = Buffer.concat([golden('text.raw'), golden('blocks.raw'), golden('one.raw')])
      expect(equal(await compressor.decompress(Buffer.concat(parts), bytes.length), bytes)).toBe(true)
    })

    it('are refused as OBJECT_CORRUPT when any one bit of them is not as it was', async () => {
      const stream = Buffer.concat([golden('one.bz2'), golden('one.bz2')])
      const lastBitOfPadding = stream.length * 8 - 7
      for (let bit = 0; bit < lastBitOfPadding; bit += everyNthBit) {
        const flipped = Buffer.from(stream)
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (0x80 >> (bit & 7))
        const opened = await compressor.decompress(flipped, 2).catch((error: unknown) => error)
        // The level, and what an engine never reads, may be another and the bytes still the same.
        if (opened instanceof Uint8Array) expect([...opened]).toEqual([0, 0])
        else expect(opened).toMatchObject({ code: 'OBJECT_CORRUPT' })
      }
    })
  })

  describe('a stream with a mark that is none', () => {
    it('opens on: the table of the bytes in use may hold the bits that begin a block', async () => {
      for (const [name, kinds] of [
        ['false-block', ['block', 'block', 'end']],
        ['false-end', ['block', 'end', 'end']],
      ] as const) {
        expect((await kindsOfMarks(golden(`${name}.bz2`))).slice(0, 3)).toEqual(kinds)
        const raw = golden(`${name}.raw`)
        const bytes = Buffer.concat(Array.from({ length: 40 }, () => raw))
        expect(
          equal(await compressor.decompress((await compressor.compress(bytes))!, bytes.length), bytes),
        ).toBe(true)
      }
    })
  })

  describe('a block with a run of more bytes than numbers of 32 bits count', () => {
    it('is refused as OBJECT_CORRUPT', async () => {
      for (const length of [1, 900_000, 2 ** 24]) {
        await expect(compressor.decompress(golden('endless-run.bz2'), length)).rejects.toMatchObject({
          code: 'OBJECT_CORRUPT',
        })
      }
    })
  })

  describe('one stream of a billion zeros', () => {
    const bomb = golden('bomb.bz2')

    it('is refused at the first byte beyond what was expected', async () => {
      for (const length of [0, 1_000_000]) {
        await expect(compressor.decompress(bomb, length)).rejects.toMatchObject({
          code: 'OBJECT_CORRUPT',
          message: expect.stringContaining(`more than the ${length} bytes`) as string,
        })
      }
    })

    it('opens as far as one of a tenth, when that is what it holds', async () => {
      const opened = await compressor.decompress(golden('long-zeros.bz2'), 100_000_000)
      const zeros = Buffer.alloc(1_000_000)
      for (let at = 0; at < opened.length; at += zeros.length) {
        expect(equal(opened.subarray(at, at + zeros.length), zeros)).toBe(true)
      }
    })
  })

  describe('compress', () => {
    it('fills a buffer of the caller, and returns null for noise', async () => {
      const buffer = new Uint8Array(new SharedArrayBuffer(chunkSizeBytes))
      const bytes = text(chunkSizeBytes)
      const packed = (await compressor.compress(bytes, { buffer }))!
      expect(packed.buffer).toBe(buffer.buffer)
      expect(equal(await compressor.decompress(packed, bytes.length), bytes)).toBe(true)
      const noise = randomBytes(chunkSizeBytes)
      expect(await compressor.compress(noise, { buffer })).toBe(null)
      // Text at its front hides from the samples that the rest is noise: it is noticed when the memory is full. It is so
      // short that it never saves what bzip2 adds to the noise, which is some 0.4 %.
      const start = text(256)
      expect(looksLikeNoise(Buffer.concat([start, noise]))).toBe(false)
      expect(await compressor.compress(Buffer.concat([start, noise]), { buffer })).toBe(null)
      expect(await compressor.compress(new Uint8Array(0))).toBe(null)
    })

    it('makes some 40 bytes of a piece of zeros', async () => {
      expect((await compressor.compress(new Uint8Array(9_000_000)))!.length).toBeLessThan(11 * 50)
    })
  })
}

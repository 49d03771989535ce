import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zlib } from '@stowage/compression-zlib'
import { cut, openInPieces, stalledAfter } from '../../compression-shared/test/in-pieces.js'

for (const engine of ['node', 'pako'] as const) {
  const open = (bytes: Uint8Array, expectedLengthBytes: number, pieceBytes?: number): Promise<Buffer> =>
    openInPieces(zlib({ engine }), bytes, expectedLengthBytes, pieceBytes)

  describe(`decompressStream with ${engine}`, () => {
    it('opens a stream in pieces of any size', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 5000 }),
          fc.integer({ min: 1, max: 3000 }),
          async (raw, size) => {
            const opened = await open(deflateSync(raw), raw.length, size)
            expect(Buffer.compare(opened, raw)).toBe(0)
          },
        ),
        { numRuns: 40 },
      )
    })

    it('opens what does not fit into a piece of its output', async () => {
      const raw = Buffer.concat([randomBytes(400_000), Buffer.alloc(3_000_000), randomBytes(100_001)])
      expect(Buffer.compare(await open(deflateSync(raw), raw.length, 65_536), raw)).toBe(0)
    })

    it('refuses a stream that is longer or shorter than expected, cut short, damaged, or followed by more', async () => {
      const raw = randomBytes(50_000)
      const sound = deflateSync(raw)
      const damaged = Uint8Array.from(sound)
      damaged[20_000]! ^= 0xff
      const faults: [Uint8Array, number][] = [
        [sound, 49_999],
        [sound, 50_001],
        [sound.subarray(0, 30_000), 50_000],
        [sound.subarray(0, sound.length - 1), 50_000],
        [new Uint8Array(0), 0],
        [damaged, 50_000],
        [Buffer.concat([sound, Buffer.from('x')]), 50_000],
        [Buffer.concat([sound, randomBytes(5000)]), 50_000],
      ]
      for (const [bytes, expected] of faults) {
        await expect(open(bytes, expected), `${bytes.length} bytes for ${expected}`).rejects.toMatchObject({
          code: 'OBJECT_CORRUPT',
        })
      }
    })

    it('stops a bomb at the first byte beyond what was expected', async () => {
      const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024))
      await expect(open(bomb, 1000)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
    })

    it('passes on what makes its input fail, and ends when its output is not wanted any more', async () => {
      const compressor = zlib({ engine })
      const bytes = deflateSync(randomBytes(500_000))
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 1000)
        await Promise.resolve()
        throw new Error('the store went away')
      }
      const drain = async (): Promise<void> => {
        for await (const part of compressor.decompressStream!(failing(), 500_000))
          expect(part.length).toBeGreaterThan(0)
      }
      await expect(drain()).rejects.toThrow('the store went away')
      for await (const part of compressor.decompressStream!(cut(bytes, 10_000), 500_000)) {
        expect(part.length).toBeGreaterThan(0)
        break
      }
    })

    it('ends with ABORTED while its input keeps it waiting', async () => {
      const controller = new AbortController()
      const { signal } = controller
      const source = stalledAfter(deflateSync(randomBytes(500_000)).subarray(0, 100_000))
      const drain = async (): Promise<void> => {
        for await (const part of zlib({ engine }).decompressStream!(source, 500_000, { signal })) {
          expect(part.length).toBeGreaterThan(0)
          setTimeout(() => {
            controller.abort()
          }, 20)
        }
      }
      await expect(drain()).rejects.toMatchObject({ code: 'ABORTED' })
    })
  })
}

describe('compress', () => {
  it('fills a buffer of the caller, and returns null for noise and for nothing', async () => {
    for (const engine of ['node', 'pako'] as const) {
      const buffer = new Uint8Array(new SharedArrayBuffer(1_000_000))
      const text = Buffer.alloc(1_000_000, 'a volume of words ')
      const packed = (await zlib({ engine }).compress(text, { buffer }))!
      expect(packed.buffer).toBe(buffer.buffer)
      expect(Buffer.compare(await zlib().decompress(packed, text.length), text)).toBe(0)
      expect(await zlib({ engine }).compress(randomBytes(1_000_000), { buffer })).toBe(null)
      expect(await zlib({ engine }).compress(new Uint8Array(0))).toBe(null)
    }
  })
})

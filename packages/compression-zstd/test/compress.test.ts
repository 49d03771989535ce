import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zstd } from '../src/index.js'
import { readFrameHeader } from '../src/frames.js'
import { engines } from './engines.js'

const text = (length: number): Buffer => Buffer.alloc(length, 'a chunk of a backup of a volume, once more; ')

/** What the frame says that it holds, by its own header: Cinder's reader takes its memory by that, and fails without. */
const declaredBytes = (frame: Uint8Array): number | undefined =>
  readFrameHeader(new DataView(frame.buffer, frame.byteOffset, frame.byteLength))?.contentBytes

describe.each(engines)('compress on %s', (engine) => {
  const compressor = zstd({ engine })

  it('writes one frame that says how much it holds, whatever the length', async () => {
    const lengths = [100, 255, 256, 257, 65_791, 65_792, 131_072, 131_073, 1_000_000, 5_000_000]
    for (const length of lengths) {
      for (const bytes of [text(length), new Uint8Array(length)]) {
        expect(declaredBytes((await compressor.compress(bytes))!), `${length} bytes`).toBe(length)
      }
    }
  })

  it('writes the header that python3-zstd writes: four bytes of size, for which the first two bits stand', async () => {
    const frame = Buffer.from((await compressor.compress(text(3_000_000)))!)
    expect(frame.subarray(0, 4).toString('hex')).toBe('28b52ffd')
    // The bit of the checksum may be set beside; then comes the window of 2 MiB that level 3 has.
    expect([0x80, 0x84]).toContain(frame[4])
    expect(frame[5]).toBe(0x58)
    expect(frame.readUInt32LE(6)).toBe(3_000_000)
  })

  it('brings back what it was given, at any level', async () => {
    const image = fc
      .array(fc.record({ kind: fc.constantFrom('zeros', 'text', 'noise'), length: fc.nat(150_000) }), {
        maxLength: 5,
      })
      .map((runs) =>
        Buffer.concat(
          runs.map(({ kind, length }) =>
            kind === 'zeros' ? Buffer.alloc(length) : kind === 'text' ? text(length) : randomBytes(length),
          ),
        ),
      )
    await fc.assert(
      fc.asyncProperty(image, fc.integer({ min: 1, max: 19 }), async (bytes, level) => {
        const packed = await zstd({ engine, level }).compress(bytes)
        if (packed === null) return
        expect(bytes.equals(await compressor.decompress(packed, bytes.length))).toBe(true)
        expect(packed.length).toBeLessThan(bytes.length)
      }),
      { numRuns: 25 },
    )
  })

  it('fills a buffer of the caller, and returns null for what does not shrink', async () => {
    const buffer = new Uint8Array(new SharedArrayBuffer(1_100_000))
    const bytes = text(1_000_000)
    const packed = (await compressor.compress(bytes, { buffer }))!
    expect(packed.buffer).toBe(buffer.buffer)
    expect(bytes.equals(await compressor.decompress(packed, bytes.length))).toBe(true)
    const noise = randomBytes(1_000_000)
    expect(await compressor.compress(noise, { buffer })).toBe(null)
    // Text at its front hides from the samples that the rest is noise.
    expect(await compressor.compress(Buffer.concat([text(2_048), noise]), { buffer })).toBe(null)
    for (const short of [Buffer.from('short'), Uint8Array.of(0), new Uint8Array(0)]) {
      expect(await compressor.compress(short, { buffer })).toBe(null)
    }
  })

  it('does not take noise with something in it for noise', async () => {
    const bytes = Buffer.concat([randomBytes(2_000_000), text(2_000_000), randomBytes(1_000_000)])
    const packed = (await compressor.compress(bytes))!
    expect(packed.length).toBeLessThan(3_100_000)
  })

  it('at a slow level is ended by an abort, and the next call finds a worker', async () => {
    const controller = new AbortController()
    const slow = zstd({ engine, level: 22 })
    const bytes = Buffer.concat(
      Array.from({ length: 60 }, () => Buffer.concat([randomBytes(60_000), text(90_000)])),
    )
    const call = slow.compress(bytes, { signal: controller.signal })
    setTimeout(() => {
      controller.abort()
    }, 50)
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await compressor.decompress((await compressor.compress(bytes))!, bytes.length)).toHaveLength(
      bytes.length,
    )
  })
})

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { zstd } from '../src/index.js'
import { readFrameHeader } from '../src/frame-header.js'
import { engines } from './engines.js'

const text = (length: number): Buffer => Buffer.alloc(length, 'a chunk of a backup of a volume, once more; ')

/** What the frame says that it holds, by its own header: Cinder's reader takes its memory by that, and fails without. */
const declaredBytes = (frame: Uint8Array): number | undefined =>
  readFrameHeader(new DataView(frame.buffer, frame.byteOffset, frame.byteLength), 0)?.contentBytes

describe.each(engines)('compress on %s', (engine) => {
  const compressor = zstd({ engine })
  afterAll(() => compressor.close?.())

  it('writes one frame that says how much it holds, whatever the length', async () => {
    const lengths = [0, 1, 255, 256, 257, 65_791, 65_792, 131_072, 131_073, 1_000_000, 5_000_000]
    for (const length of lengths) {
      for (const bytes of [text(length), randomBytes(length), new Uint8Array(length)]) {
        expect(declaredBytes(await compressor.compress(bytes)), `${length} bytes`).toBe(length)
      }
    }
  })

  it('writes the header that python3-zstd writes: four bytes of size, for which the first two bits stand', async () => {
    const frame = Buffer.from(await compressor.compress(text(3_000_000)))
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
      fc.asyncProperty(
        image,
        fc.integer({ min: 1, max: 19 }),
        fc.boolean(),
        async (bytes, level, mustShrink) => {
          const packed = await zstd({ engine, level }).compress(bytes, { mustShrink })
          if (packed === bytes) return
          expect(bytes.equals(await compressor.decompress(packed, bytes.length))).toBe(true)
          if (mustShrink) expect(packed.length).toBeLessThanOrEqual(bytes.length)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('fills the memory that it is lent, and gives the input back where it would not shrink', async () => {
    const buffer = new Uint8Array(new SharedArrayBuffer(1_100_000))
    const bytes = text(1_000_000)
    const packed = await compressor.compress(bytes, { buffer, mustShrink: true })
    expect(packed.buffer).toBe(buffer.buffer)
    expect(bytes.equals(await compressor.decompress(packed, bytes.length))).toBe(true)
    const noise = randomBytes(1_000_000)
    expect(await compressor.compress(noise, { buffer, mustShrink: true })).toBe(noise)
    const whole = await compressor.compress(noise, { buffer })
    expect(noise.equals(await compressor.decompress(whole, noise.length))).toBe(true)
    const short = Buffer.from('short')
    expect(await compressor.compress(short, { buffer, mustShrink: true })).toBe(short)
  })

  it('does not take noise with something in it for noise', async () => {
    const bytes = Buffer.concat([randomBytes(2_000_000), text(2_000_000), randomBytes(1_000_000)])
    const packed = await compressor.compress(bytes, { mustShrink: true })
    expect(packed.length).toBeLessThan(3_100_000)
  })

  it('remembers zeros, and hands out copies', async () => {
    const zeros = new Uint8Array(4_000_000)
    const first = await compressor.compress(zeros)
    const before = first.slice()
    first.fill(0xff)
    const second = await compressor.compress(zeros)
    expect(Buffer.compare(second, before)).toBe(0)
    expect(second.length).toBeLessThan(1_000)
    const one = Uint8Array.of(0)
    await compressor.compress(one)
    expect(await compressor.compress(one, { mustShrink: true })).toBe(one)
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
    expect(await compressor.decompress(await compressor.compress(bytes), bytes.length)).toHaveLength(
      bytes.length,
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zstd } from '../src/index.js'
import { engines } from './engines.js'
import { golden } from './golden.js'
import {
  block,
  framePart,
  rowOf,
  blockBytes,
  header,
  skippable,
  windowOfLog,
  zerosFrame,
} from './hand-made.js'

describe.each(engines)('frames on %s', (engine) => {
  const compressor = zstd({ engine })

  const refused = (bytes: Uint8Array, expectedLengthBytes: number, message: RegExp): Promise<void> =>
    expect(compressor.decompress(bytes, expectedLengthBytes)).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
      message: expect.stringMatching(message) as string,
    })

  it('in a row open one behind the other, whether they say how much they hold or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(framePart, { minLength: 1, maxLength: 6 }), async (parts) => {
        const { object, raw } = rowOf(parts)
        const opened = await compressor.decompress(object, raw.length)
        expect(raw.equals(opened)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('in a row of ten thousand open in one go', async () => {
    const one = Buffer.concat([header({ contentBytes: 1n }), block(Buffer.from('x'), true)])
    const opened = await compressor.decompress(Buffer.concat(Array<Buffer>(10_000).fill(one)), 10_000)
    expect(Buffer.alloc(10_000, 'x').equals(opened)).toBe(true)
  })

  it('may be nothing but skipped, when nothing is expected', async () => {
    expect(await compressor.decompress(skippable(Buffer.from('notes')), 0)).toHaveLength(0)
    await refused(skippable(Buffer.from('notes')), 1, /at most 0 bytes, and 1 were expected/)
    await refused(skippable(Buffer.from('notes')).subarray(0, 10), 0, /too early/)
  })

  it('are cut short wherever they are cut', async () => {
    const program = golden('text.frames.zst')
    for (let kept = 0; kept < program.length; kept += 97)
      await refused(program.subarray(0, kept), 34_483, /./)
    const sound = Buffer.concat([header({ window: windowOfLog(17) }), block(Buffer.from('seven'), true)])
    for (let kept = 0; kept < sound.length; kept++) await refused(sound.subarray(0, kept), 5, /too early/)
  })

  it('with a checksum are cut short where it is missing, and damaged where it is wrong', async () => {
    const program = golden('blocks.program.zst')
    for (const lost of [1, 2, 3, 4]) {
      await refused(program.subarray(0, program.length - lost), 423_449, /too early/)
    }
    const wrong = Uint8Array.from(program)
    wrong[wrong.length - 1]! ^= 1
    await refused(wrong, 423_449, /damaged/)
  })

  it('with a checksum never open to other bytes, whichever bit is wrong', async () => {
    const sound = golden('blocks.program.zst')
    for (let at = 0; at < sound.length; at += 641) {
      const damaged = Uint8Array.from(sound)
      damaged[at]! ^= 1 << (at % 8)
      await refused(damaged, 423_449, /./)
    }
  })

  it('that say more than was expected are refused unopened', async () => {
    await refused(zerosFrame(8_000, { contentBytes: 8_000n * 131_072n }), 1_024, /more than the 1024 bytes/)
    // 2^64 - 1: no number of JavaScript's is that exact.
    await refused(
      zerosFrame(1, { contentBytes: 0xffff_ffff_ffff_ffffn }),
      131_072,
      /more than (its blocks|the 131072 bytes)/,
    )
  })

  it('that lie about how much they hold are stopped at the first byte beyond', async () => {
    await refused(zerosFrame(8_000, { contentBytes: 1_024n }), 1_024, /damaged|more than the 1024/)
    const short = Buffer.concat([header({ contentBytes: 9n }), block(Buffer.from('seven'), true)])
    await refused(short, 9, /more than (its blocks|the 131072 bytes)/)
  })

  it('that do not say how much they hold are stopped at the first byte beyond', async () => {
    const bomb = zerosFrame(8_000, { window: windowOfLog(20) })
    expect(bomb.length).toBeLessThan(33_000)
    await refused(bomb, 1_024, /damaged|more than the 1024/)
    await refused(bomb, 8_000 * blockBytes + 1, /to at most/)
    expect(
      await compressor.decompress(zerosFrame(3, { window: windowOfLog(20) }), 3 * blockBytes),
    ).toHaveLength(393_216)
  })

  it('that ask for a window of 2 GiB are refused, and of 128 MiB are not', async () => {
    const hello = block(Buffer.from('hello'), true)
    await refused(
      Buffer.concat([header({ window: windowOfLog(31) }), hello]),
      5,
      /window of 2147483648 bytes/,
    )
    await refused(Buffer.concat([header({ window: windowOfLog(27) + 1 }), hello]), 5, /window/)
    const allowed = Buffer.concat([header({ window: windowOfLog(27) }), hello])
    expect(Buffer.from(await compressor.decompress(allowed, 5)).toString()).toBe('hello')
    // Where the content is known, a decoder needs no more than that.
    const known = Buffer.concat([header({ window: windowOfLog(30), contentBytes: 5n }), hello])
    expect(Buffer.from(await compressor.decompress(known, 5)).toString()).toBe('hello')
  })

  it('that need a dictionary, set a reserved bit or hold a block that cannot be are refused', async () => {
    const hello = block(Buffer.from('hello'), true)
    await refused(Buffer.concat([header({ contentBytes: 5n, dictionaryId: 7 }), hello]), 5, /dictionary/)
    await refused(Buffer.concat([header({ contentBytes: 5n, bits: 0x08 }), hello]), 5, /reserved/)
    await refused(
      Buffer.concat([header({ contentBytes: 5n }), Buffer.of(0x2f, 0, 0), hello]),
      5,
      /invalid block/,
    )
  })

  it('of noise with a sound beginning are refused, and never hang', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(300),
        async (tail, expected) => {
          const bytes = Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd), tail])
          const opened = await compressor.decompress(bytes, expected).catch((error: unknown) => error)
          if (opened instanceof Uint8Array) expect(opened).toHaveLength(expected)
          else expect(opened).toMatchObject({ code: 'OBJECT_CORRUPT' })
        },
      ),
      { numRuns: 200 },
    )
  })

  it('do not let an absurd expected length take memory', async () => {
    await refused((await compressor.compress(new Uint8Array(1_000)))!, 2 ** 50, /to at most/)
  })
})

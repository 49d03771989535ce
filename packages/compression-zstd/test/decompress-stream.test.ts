import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openInPieces } from '../../compression-shared/test/in-pieces.js'
import { zstd } from '../src/index.js'
import type { ZstdOptions } from '../src/index.js'
import { nodeHasZstd } from './engines.js'
import { golden } from './golden.js'
import { block, framePart, rowOf, header, windowOfLog, zerosFrame } from './hand-made.js'

const mebibyte = 1024 * 1024

describe('decompressStream of zstd', () => {
  it("is there where Node's engine runs, and only there", () => {
    const streams = (options?: ZstdOptions): boolean => typeof zstd(options).decompressStream === 'function'
    expect([streams(), streams({ engine: 'node' })]).toEqual([nodeHasZstd, nodeHasZstd])
    expect(streams({ engine: 'wasm' })).toBe(false)
  })
})

describe.runIf(nodeHasZstd)("decompressStream on Node's engine", () => {
  const compressor = zstd()

  const open = (bytes: Uint8Array, expectedLengthBytes: number, pieceBytes?: number): Promise<Buffer> =>
    openInPieces(compressor, bytes, expectedLengthBytes, pieceBytes)

  async function drain(pieces: AsyncIterable<Uint8Array>): Promise<number> {
    let lengthBytes = 0
    for await (const { length } of pieces) lengthBytes += length
    return lengthBytes
  }

  const refused = (bytes: Uint8Array, expected: number, message: RegExp, pieceBytes = 1000): Promise<void> =>
    expect(open(bytes, expected, pieceBytes), `${bytes.length} bytes for ${expected}`).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
      message: expect.stringMatching(message) as string,
    })

  it('opens frames in a row, skippable ones among them, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(framePart, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 500 }),
        async (parts, pieceBytes) => {
          const { object, raw } = rowOf(parts)
          expect(raw.equals(await open(object, raw.length, pieceBytes))).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('opens what others wrote, with checksums and without, in pieces of any size', async () => {
    const row = ['text.frames', 'blocks.program', 'zeros.python', 'empty.program', 'text.no-check.program']
    const packed = Buffer.concat(row.map((name) => golden(`${name}.zst`)))
    const raw = Buffer.concat(row.map((name) => golden(`${name.split('.')[0]!}.raw`)))
    for (const pieceBytes of [1, 7, 4096, 65_536, 65_537, packed.length]) {
      expect(raw.equals(await open(packed, raw.length, pieceBytes))).toBe(true)
    }
  })

  it('refuses what is longer or shorter than expected, cut short, damaged, or followed by more', async () => {
    const raw = golden('blocks.raw')
    const sound = golden('blocks.program.zst')
    const damaged = Uint8Array.from(sound)
    damaged[20_000]! ^= 0xff
    const { length } = raw
    await refused(sound, length - 1, /more than the/)
    await refused(sound, 0, /more than the 0 bytes/)
    await refused(sound, length + 1, /to at most/)
    for (const kept of [0, 3, 4, 5, 9, 3000, sound.length - 5, sound.length - 4, sound.length - 1]) {
      await refused(sound.subarray(0, kept), length, /too early/)
    }
    await refused(damaged, length, /damaged/)
    await refused(Buffer.concat([sound, Buffer.from('x')]), length, /1 bytes follow/)
    await refused(Buffer.concat([sound, randomBytes(5000)]), length, /bytes or more follow/)
    await refused(raw, length, /wrong first bytes/)
    const wrongChecksum = Uint8Array.from(sound)
    wrongChecksum[sound.length - 1]! ^= 1
    await refused(wrongChecksum, length, /damaged/)
  })

  it('refuses a window above 128 MiB, a dictionary and a block that cannot be, before it opens any', async () => {
    const hello = block(Buffer.from('hello'), true)
    const helloWith = (parts: Parameters<typeof header>[0]): Buffer => Buffer.concat([header(parts), hello])
    await refused(helloWith({ window: windowOfLog(31) }), 5, /window of 2147483648 bytes/, 1)
    await refused(helloWith({ window: windowOfLog(27) + 1 }), 5, /window/)
    await refused(helloWith({ contentBytes: 5n, dictionaryId: 7 }), 5, /dictionary/, 1)
    await refused(
      Buffer.concat([header({ contentBytes: 5n }), Buffer.of(0x2f, 0, 0), hello]),
      5,
      /invalid block/,
    )
    expect((await open(helloWith({ window: windowOfLog(27) }), 5)).toString()).toBe('hello')
    expect((await open(helloWith({ window: windowOfLog(30), contentBytes: 5n }), 5)).toString()).toBe('hello')
  })

  it('stops a bomb at the first byte beyond, whether its frame says so or not', async () => {
    await refused(zerosFrame(8_000, { window: windowOfLog(20) }), 1_024, /more than the 1024/)
    await refused(zerosFrame(8_000, { contentBytes: 8_000n * 131_072n }), 1_024, /more than the 1024/)
  })

  it('leaves the rest of an endless input unread, and closes it', async () => {
    const one = golden('text.python.zst')
    let readBytes = 0
    let isClosed = false
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          readBytes += one.length
          yield await Promise.resolve(one)
        }
      } finally {
        isClosed = true
      }
    }
    await expect(drain(compressor.decompressStream!(endless(), 100_000))).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    })
    expect(isClosed).toBe(true)
    expect(readBytes).toBeLessThan(8 * one.length)
  })

  it('ends at an abort while its input is waited for', async () => {
    const controller = new AbortController()
    const stalled = async function* (): AsyncGenerator<Uint8Array> {
      yield golden('text.python.zst').subarray(0, 1000)
      await new Promise(() => undefined)
    }
    const { signal } = controller
    const opened = drain(compressor.decompressStream!(stalled(), 100_000, { signal }))
    setTimeout(() => {
      controller.abort()
    }, 20)
    await expect(opened).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('passes a long object from the program zstd through with no more memory than its window', async () => {
    const steps = [
      Buffer.alloc(mebibyte),
      Buffer.alloc(mebibyte, 'a volume of words '),
      randomBytes(mebibyte),
    ]
    const lengthBytes = 300 * mebibyte
    const md5 = createHash('md5')
    const raw = function* (): Generator<Uint8Array> {
      for (let at = 0; at < 300; at++) {
        const step = steps[Math.floor(at / 10) % 3]!
        md5.update(step)
        yield step
      }
    }
    const child = spawn('zstd', ['-c', '-q'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const feeding = pipeline(Readable.from(raw()), child.stdin)
    const opened = createHash('md5')
    const beforeBytes = process.memoryUsage.rss()
    let mostBytes = 0
    for await (const piece of compressor.decompressStream!(child.stdout, lengthBytes)) {
      opened.update(piece)
      mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - beforeBytes)
    }
    await feeding
    expect(opened.digest('hex')).toBe(md5.digest('hex'))
    expect(mostBytes).toBeLessThan(120 * mebibyte)
  }, 120_000)
})

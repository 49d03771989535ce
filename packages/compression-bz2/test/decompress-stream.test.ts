import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, openInPieces } from '../../compression-shared/test/in-pieces.js'
import { bz2 } from '../src/index.js'
import { golden } from './golden.js'

const compressor = bz2()

const mebibyte = 1024 * 1024
const text = (length: number): Buffer => Buffer.alloc(length, 'a chunk of a backup of a volume, once more; ')

const open = (bytes: Uint8Array, expectedLengthBytes: number, pieceBytes?: number): Promise<Buffer> =>
  openInPieces(compressor, bytes, expectedLengthBytes, pieceBytes)

describe('decompressStream of bzip2', () => {
  it('opens streams in a row, of any level and with nothing in them, in pieces of any size', async () => {
    const files = ['text', 'empty', 'zeros', 'mixed', 'one', 'false-block', 'false-end'] as const
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...files), { minLength: 1, maxLength: 5 }),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 50_000 })),
        async (names, pieceBytes) => {
          const raw = Buffer.concat(names.map((name) => golden(`${name}.raw`)))
          const row = Buffer.concat(names.map((name) => golden(`${name}.bz2`)))
          expect(Buffer.compare(await open(row, raw.length, pieceBytes), raw)).toBe(0)
        },
      ),
      { numRuns: 12 },
    )
  })

  it('opens blocks that end at any bit, of one stream and of many, across the segments it reads', async () => {
    const raw = Buffer.concat([randomBytes(600_000), Buffer.alloc(900_001), text(300_000)])
    const packed = [(await bz2({ level: 1 }).compress(raw))!, await program('bzip2', ['-2', '-c'], raw)]
    for (const bytes of packed) {
      for (const pieceBytes of [777, 131_072, 131_073, bytes.length]) {
        expect(Buffer.compare(await open(bytes, raw.length, pieceBytes), raw)).toBe(0)
      }
    }
  })

  it('refuses what is longer or shorter than expected, cut short, damaged, or followed by more', async () => {
    const raw = Buffer.concat([randomBytes(150_000), text(150_000)])
    const sound = (await bz2({ level: 1 }).compress(raw))!
    const damaged = Uint8Array.from(sound)
    damaged[20_000]! ^= 0xff
    const { length } = raw
    const faults: [Uint8Array, number, RegExp][] = [
      [sound, length - 1, /more than the 299999 bytes/],
      [sound, 0, /more than the 0 bytes/],
      [sound, length + 1, /at most 300000 bytes, and 300001 were expected/],
      [sound.subarray(0, 30_000), length, /too early/],
      [sound.subarray(0, sound.length - 1), length, /too early/],
      [new Uint8Array(0), 0, /too early/],
      [golden('mixed.raw'), 40_000, /wrong first bytes/],
      [damaged, length, /damaged/],
      [Buffer.concat([sound, Buffer.from('x')]), length, /1 bytes follow/],
      [Buffer.concat([sound, randomBytes(3_000_000)]), length, /bytes or more follow/],
    ]
    for (const [bytes, expected, message] of faults) {
      await expect(
        open(bytes, expected, 10_000),
        `${bytes.length} bytes for ${expected}`,
      ).rejects.toMatchObject({
        code: 'OBJECT_CORRUPT',
        message: expect.stringMatching(message) as string,
      })
    }
  })

  it('stops at the first byte beyond, and leaves the rest of an endless input unread', async () => {
    const stream = golden('text.bz2')
    let readBytes = 0
    let isClosed = false
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          readBytes += stream.length
          yield await Promise.resolve(stream)
        }
      } finally {
        isClosed = true
      }
    }
    const opened = compressor.decompressStream!(endless(), 100_000)
    await expect(drain(opened)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
    expect(isClosed).toBe(true)
    expect(readBytes).toBeLessThan(mebibyte)
  })

  it('gives up on a block that goes on for ever, and on streams that hold nothing without holding them', async () => {
    const block = golden('text.bz2').subarray(0, 1000)
    let readBytes = 0
    const noise = async function* (): AsyncGenerator<Uint8Array> {
      yield block
      for (const piece = Buffer.alloc(64 * 1024, 0xaa); readBytes < 64 * mebibyte;) {
        readBytes += piece.length
        yield await Promise.resolve(piece)
      }
    }
    const opened = compressor.decompressStream!(noise(), 100_000)
    await expect(drain(opened)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
    expect(readBytes).toBeLessThan(8 * mebibyte)
    const empties = Buffer.concat(Array<Uint8Array>(20_000).fill(golden('empty.bz2')))
    expect(await open(empties, 0, 4096)).toHaveLength(0)
  })

  it('ends at an abort while its input is waited for, and closes an input that goes on', async () => {
    const controller = new AbortController()
    const stalled = async function* (): AsyncGenerator<Uint8Array> {
      yield golden('text.bz2').subarray(0, 1000)
      await new Promise(() => undefined)
    }
    const { signal } = controller
    const opened = drain(compressor.decompressStream!(stalled(), 100_000, { signal }))
    setTimeout(() => {
      controller.abort()
    }, 20)
    await expect(opened).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('leaves the workers to others while its consumer is at a standstill', async () => {
    const raw = Buffer.concat([randomBytes(3_900_000), text(100_000)])
    const packed = (await bz2({ level: 1 }).compress(raw))!
    const stalled = Array.from({ length: 10 }, () =>
      compressor.decompressStream!(cut(packed, 65_536), raw.length)[Symbol.asyncIterator](),
    )
    for (const one of stalled) expect((await one.next()).done).toBe(false)
    expect(Buffer.compare(await compressor.decompress(packed, raw.length), raw)).toBe(0)
    for (const one of stalled) await one.return?.()
  })
})

describe('a block of long runs', () => {
  const run = fc.record({
    byte: fc.constantFrom(0, 1, 4, 255),
    length: fc.oneof(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 250, max: 270 }),
      fc.integer({ min: 10_000, max: 500_000 }),
    ),
  })

  it('opens to what libbzip2 makes of it, whole and in pieces, and is held to its checksum', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 12 }), async (runs) => {
        const raw = Buffer.concat([
          ...runs.map(({ byte, length }) => Buffer.alloc(length, byte)),
          Buffer.alloc(5 * mebibyte, 7),
        ])
        const packed = await program('bzip2', ['-c'], raw)
        expect(Buffer.compare(await open(packed, raw.length), raw)).toBe(0)
        expect(Buffer.compare(await compressor.decompress(packed, raw.length), raw)).toBe(0)
        for (const at of [11, 30, packed.length - 15]) {
          const damaged = Uint8Array.from(packed)
          damaged[at]! ^= 0x10
          const opened = await open(damaged, raw.length).catch((error: unknown) => error)
          // A table that no symbol is written with may be another, and the bytes still the same.
          if (opened instanceof Uint8Array) expect(Buffer.compare(opened, raw)).toBe(0)
          else expect(opened).toMatchObject({ code: 'OBJECT_CORRUPT' })
        }
      }),
      { numRuns: 2, endOnFailure: true },
    )
  })
})

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let lengthBytes = 0
  for await (const { length } of pieces) lengthBytes += length
  return lengthBytes
}

function program(name: string, options: string[], input: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, options, { stdio: ['pipe', 'pipe', 'inherit'] })
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(parts))
      else reject(new Error(`${name} ended with ${code}`))
    })
    child.stdin.end(input)
  })
}

import { execFileSync } from 'node:child_process'
import { bz2 } from '@stowage/compression-bz2'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bz2Compressjs } from '../src/index.js'

const compressor = bz2Compressjs({ level: 1 })
const libbzip2 = bz2()

/** What a block of level 1 holds in compressjs' hands. */
const blockBytes = 99_981
const program = (compressed: Uint8Array): Buffer => execFileSync('bzip2', ['-dc'], { input: compressed })
const withoutRuns = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff)

describe('a block that is full', () => {
  it('opens in bzip2, where a run of four ends with it: compressjs alone leaves out its count', async () => {
    for (const runAt of [blockBytes - 5, blockBytes - 4, blockBytes - 3]) {
      const bytes = withoutRuns(blockBytes)
      bytes.fill(0xff, runAt, runAt + 4)
      expect(program((await compressor.compress(bytes))!).equals(bytes)).toBe(true)
    }
  })

  it('opens in libbzip2, whatever runs make it longer than its piece', async () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 50,
    })
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(8), async (parts, more) => {
        const pattern = Buffer.concat(
          parts.map(([length, byte]) => Buffer.alloc(length % 7 === 0 ? length : 4, byte)),
        )
        const bytes = Buffer.alloc(blockBytes + more, pattern)
        const compressed = (await compressor.compress(bytes))!
        expect(bytes.equals(await libbzip2.decompress(compressed, bytes.length))).toBe(true)
      }),
      { numRuns: 15 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mark } from '../src/bzip2/block-scanner.js'
import { readUint32 } from '../src/bzip2/format.js'
import { marksOf } from './marks-of.js'

const magics = { block: 0x314159265359n, end: 0x177245385090n } as const

/** The slow way: every bit is looked at. */
function marksBitByBit(bytes: Uint8Array): Mark[] {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const found: Mark[] = []
  for (const kind of ['block', 'end'] as const) {
    const wanted = magics[kind].toString(2).padStart(48, '0')
    for (let bit = bits.indexOf(wanted); bit >= 0; bit = bits.indexOf(wanted, bit + 1))
      found.push({ bit, kind })
  }
  return found.sort((a, b) => a.bit - b.bit)
}

const fromBits = (bits: string): Uint8Array =>
  Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => parseInt(byte.padEnd(8, '0'), 2))

/** Magics and other bits in a row, at any bit. */
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom(...Object.values(magics)).map((magic) => magic.toString(2).padStart(48, '0')),
      fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 70 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => fromBits(parts.join('')))

describe('the marks of blocks and ends', () => {
  it('are found wherever they begin, in their order, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async (bytes) => {
        expect(await marksOf(bytes)).toEqual(marksBitByBit(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it('are found across the steps of a long search', async () => {
    const bytes = new Uint8Array(1_000_000)
    const at = [0, 262_140, 262_141, 262_142, 262_143, 262_144, 999_994]
    const magic = Uint8Array.of(0x31, 0x41, 0x59, 0x26, 0x53, 0x59)
    for (const one of at) {
      bytes.fill(0)
      bytes.set(magic, one)
      expect(await marksOf(bytes)).toEqual([{ bit: one * 8, kind: 'block' }])
    }
  })
})

describe('32 bits', () => {
  it('are read from any bit on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 12 }), fc.nat(), (bytes, any) => {
        const bit = any % (bytes.length * 8 - 31)
        const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
        expect(readUint32(bytes, bit)).toBe(parseInt(bits.slice(bit, bit + 32), 2))
      }),
    )
  })
})

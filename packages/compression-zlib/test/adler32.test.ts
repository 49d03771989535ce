import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adler32, joinAdler32 } from '../src/adler32.js'

const bytes = fc.uint8Array({ maxLength: 9_000, size: 'max' })

describe('the Adler-32 checksum', () => {
  it('is the one that RFC 1950 gives', () => {
    expect(adler32(new TextEncoder().encode('Wikipedia'))).toBe(0x11e60398)
    expect(adler32(new Uint8Array(0))).toBe(1)
  })

  it('does not overflow on long runs of the largest byte', () => {
    // Python: zlib.adler32(b'\xff' * 10_000_000)
    expect(adler32(new Uint8Array(10_000_000).fill(255))).toBe(0xafe3d1db)
  })

  it('of two runs is that of both joined', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const joined = joinAdler32(adler32(first), adler32(second), second.length)
        expect(joined).toBe(adler32(Buffer.concat([first, second])))
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAllZeros } from '../../src/volume/zeros.js'

describe('isAllZeros', () => {
  it('is true for no bytes, one zero, and zeros of any length', () => {
    for (const length of [0, 1, 2, 7, 8, 9, 4096, 1_000_003])
      expect(isAllZeros(new Uint8Array(length))).toBe(true)
  })

  it('finds a single byte at any position, in views at any offset', () => {
    const place = fc.record({
      before: fc.nat(17),
      length: fc.integer({ min: 1, max: 5000 }),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      value: fc.integer({ min: 1, max: 255 }),
    })
    fc.assert(
      fc.property(place, ({ before, length, at, value }) => {
        const view = new Uint8Array(new ArrayBuffer(before + length + 9), before, length)
        expect(isAllZeros(view)).toBe(true)
        view[Math.floor(at * length)] = value
        expect(isAllZeros(view)).toBe(false)
      }),
    )
  })

  it('reads no bytes outside the view', () => {
    const memory = new Uint8Array(64).fill(255)
    memory.fill(0, 10, 20)
    expect(isAllZeros(memory.subarray(10, 20))).toBe(true)
    expect(isAllZeros(memory.subarray(10, 21))).toBe(false)
    expect(isAllZeros(memory.subarray(9, 20))).toBe(false)
  })
})

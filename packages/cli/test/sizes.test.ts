import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSize, parseRange, parseSize } from '../src/sizes.js'

describe('parseSize', () => {
  it.each([
    ['32768', 32768],
    ['0', 0],
    ['512B', 512],
    ['50M', 50 * 1024 ** 2],
    ['50m', 50 * 1024 ** 2],
    ['1GiB', 1024 ** 3],
    ['1.5G', 1.5 * 1024 ** 3],
    ['4 KiB', 4096],
    ['10MB', 10_000_000],
    ['1kb', 1000],
    ['2TiB', 2 * 1024 ** 4],
  ])('reads %s as GNU tools do', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'M', '-1', '1.2.3', '5Q', '1iB', '0x10', '1e3', 'NaN', '12 monkeys', '.5K'])(
    'refuses %j, which is no size',
    (text) => {
      expect(() => parseSize(text)).toThrow(RangeError)
    },
  )

  it.each(['1.5', '0.0001K', '9007199254740992', '9999P'])(
    'refuses %s, which is no whole safe number',
    (text) => {
      expect(() => parseSize(text)).toThrow(/whole number of bytes/)
    },
  )

  it('reads every whole number of bytes as itself', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parseSize(String(bytes))).toBe(bytes)
      }),
    )
  })
})

describe('parseRange', () => {
  it('reads an offset and a length, each a size', () => {
    expect(parseRange('1G:512K')).toEqual({ offsetBytes: 1024 ** 3, lengthBytes: 512 * 1024 })
  })

  it.each(['', '5', '1:2:3', ':5', '5:', 'a:b'])('refuses %j, which is no range', (text) => {
    expect(() => parseRange(text)).toThrow(RangeError)
  })

  it('refuses an empty range', () => {
    expect(() => parseRange('4K:0')).toThrow(/empty/)
  })
})

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1 MiB'],
    [64 * 1024 ** 2, '64 MiB'],
    [1_999_994_880, '1.86 GiB'],
    [123.4 * 1024 ** 2, '123 MiB'],
  ])('shows %d as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  it('is never off by more than one part in a hundred', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), (bytes) => {
        const [value, unit] = formatSize(bytes).split(' ')
        const shown = Number(value) * (unit === 'B' ? 1 : parseSize(`1${unit!}`))
        expect(Math.abs(shown - bytes)).toBeLessThanOrEqual(bytes / 100)
      }),
    )
  })
})

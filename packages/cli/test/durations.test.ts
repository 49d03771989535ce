import { describe, expect, it } from 'vitest'
import { parseAge, parseDuration } from '../src/durations.js'

describe('parseDuration', () => {
  it.each([
    ['30', 30_000],
    ['30s', 30_000],
    ['500ms', 500],
    ['5m', 300_000],
    ['5 min', 300_000],
    ['1.5H', 5_400_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', 's', '-1s', '1d', '0', '0.5ms', '1e3', '999h', 'five minutes'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError)
  })
})

describe('parseAge', () => {
  it.each([
    ['0', 0],
    ['90', 90_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['400D', 34_560_000_000],
  ])('reads %s', (text, ms) => {
    expect(parseAge(text)).toBe(ms)
  })

  it.each(['', 'h', '-1h', '1w', '1e3', 'yesterday'])('refuses %j', (text) => {
    expect(() => parseAge(text)).toThrow(RangeError)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBackupError } from '../../src/errors/backup-error.js'
import { compareCodePoints, pythonDumps, pythonString } from '../../src/format/python-json.js'
import { parseJsonText } from '../../src/format/json.js'
import { golden } from './pieces.js'

const anyString = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
})

describe('pythonString', () => {
  const strings = golden('strings.json') as { text: string; dumped: string }[]

  test.each(strings)('writes $dumped as Python does', ({ text, dumped }) => {
    expect(pythonString(text)).toBe(dumped)
  })

  test('escapes 0x7f in lower-case hex', () => {
    expect(pythonString('\x7f\u00AB')).toBe('"\\u007f\\u00ab"')
  })

  test('is read back by JSON.parse as the same string, and is ASCII', () => {
    fc.assert(
      fc.property(anyString, (text) => {
        const written = pythonString(text)
        expect(JSON.parse(written)).toBe(text)
        expect(written).toMatch(/^[\x20-\x7e]*$/)
      }),
    )
  })
})

describe('pythonDumps', () => {
  const dumps = golden('dumps.json') as { text: string; plain: string; sorted: string; indented: string }
  const value = parseJsonText(dumps.text, { what: 'The golden' })
  const numbers = golden('numbers.json') as { text: string; dumped: string }[]

  test('writes one line as Python does', () => {
    expect(pythonDumps(value)).toBe(dumps.plain)
  })

  test('sorts keys by code point as Python does', () => {
    expect(pythonDumps(value, { sortKeys: true })).toBe(dumps.sorted)
  })

  test('indents as Python does', () => {
    expect(pythonDumps(value, { sortKeys: true, indent: 2 })).toBe(dumps.indented)
  })

  test('writes numbers as Python does', () => {
    for (const { text, dumped } of numbers) expect(pythonDumps(Number(text))).toBe(dumped)
    expect(numbers.length).toBeGreaterThan(200)
  })

  test.each([NaN, Infinity, -Infinity])('refuses %s, which JSON does not have', (number) => {
    expect(() => pythonDumps({ deep: [number] })).toThrow(/cannot be written as JSON/)
    try {
      pythonDumps(number)
    } catch (error) {
      expect(isBackupError(error, 'OPTION_INVALID')).toBe(true)
    }
  })
})

describe('compareCodePoints', () => {
  test('agrees with the order of the lists of code points', () => {
    const points = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) ?? 0)
    fc.assert(
      fc.property(anyString, anyString, (left, right) => {
        const [a, b] = [points(left), points(right)]
        const at = a.findIndex((point, index) => point !== b[index])
        const expected = at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1)
        expect(Math.sign(compareCodePoints(left, right))).toBe(Math.sign(expected))
      }),
    )
  })

  test('puts what is beyond U+FFFF last, where JavaScript does not', () => {
    const texts = ['\u{1f600}', '\uff5e']
    expect([...texts].sort()).toEqual(texts)
    expect([...texts].sort(compareCodePoints)).toEqual(['\uff5e', '\u{1f600}'])
  })
})

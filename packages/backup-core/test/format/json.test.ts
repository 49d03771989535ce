import { describe, expect, test } from 'vitest'
import { parseJsonText } from '../../src/format/json.js'

const place = { container: 'c', objectName: 'o' }

describe('parseJsonText', () => {
  test.each(['9007199254740992', '-9007199254740993', '1e400', '[1, 123456789012345678901]'])(
    'refuses %s, which JavaScript would round',
    (text) => {
      expect(() => parseJsonText(text, place)).toThrow('a number that JavaScript cannot hold exactly')
    },
  )

  test('takes digits in a string for text', () => {
    expect(parseJsonText('{"a": "x \\" 123456789012345678901", "b": 1.5}', place)).toEqual({
      a: 'x " 123456789012345678901',
      b: 1.5,
    })
  })

  test('uses the error code and the texts of its subject', () => {
    const subject = { code: 'RECORD_INVALID', what: 'The record', next: 'Again.' } as const
    expect(() => parseJsonText('{', subject)).toThrow(
      expect.objectContaining({
        code: 'RECORD_INVALID',
        message: expect.stringMatching(
          /^The record is not valid: it is not valid JSON \(.+\)\. Again\.$/,
        ) as unknown,
      }),
    )
  })

  test('refuses a text that is longer than its limit, or nested deeper than 64 levels', () => {
    expect(parseJsonText('[1, 2]', place, { maxBytes: 6 })).toEqual([1, 2])
    expect(() => parseJsonText('[1, 2] ', place, { maxBytes: 6 })).toThrow('longer than 6 bytes')
    expect(() => parseJsonText(' '.repeat(9 * 2 ** 20), place)).toThrow('longer than')
    expect(parseJsonText('['.repeat(64) + ']'.repeat(64), place)).toBeDefined()
    expect(() => parseJsonText('['.repeat(65) + ']'.repeat(65), place)).toThrow('deeper than 64 levels')
    expect(parseJsonText(`"${'['.repeat(65)}"`, place)).toHaveLength(65)
  })

  test('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(() => parseJsonText(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), place)).toThrow('not UTF-8')
    expect(() => parseJsonText('\ufeff{}', place)).toThrow('not valid JSON')
    expect(parseJsonText('"\ufeffa"', place)).toBe('\ufeffa')
  })

  test('makes `__proto__` a key like any other', () => {
    const value = parseJsonText('{"__proto__": {"polluted": 1}, "constructor": 2}', place)
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('returns the later of two members with one key, as JSON.parse and Python do', () => {
    expect(parseJsonText('{"a": 1, "a": 2}', place)).toEqual({ a: 2 })
  })

  test('keeps line breaks of the text out of its message', () => {
    expect(() => parseJsonText('{"a":\n\n x}', place)).toThrow(/^[^\n]+$/)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBackupError } from '../../src/errors/backup-error.js'
import { readJson } from '../../src/format/json-stream.js'
import { JsonValueReader, maxTreeValues, parseJsonText } from '../../src/format/json-value-reader.js'
import type { JsonValue } from '../../src/contracts/records.js'
import { inPieces } from './pieces.js'

const place = { container: 'c', objectName: 'o' }

async function read(
  text: string | Uint8Array,
  sizes: readonly number[] = [7],
  limits: Parameters<typeof readJson>[3] = {},
): Promise<JsonValue | undefined> {
  const reader = new JsonValueReader((problem) => {
    throw new Error(problem)
  })
  await readJson(inPieces(text, sizes), reader, place, limits)
  return reader.value
}

/** The value as JSON.parse has it: with prototypes. */
function plain(value: JsonValue | undefined): unknown {
  return JSON.parse(JSON.stringify(value))
}

const exact = (value: unknown): boolean =>
  typeof value === 'number'
    ? !Number.isInteger(value) || Number.isSafeInteger(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(exact)

describe('readJson', () => {
  test('agrees with JSON.parse on any value, any layout and any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ stringUnit: 'binary' }).filter(exact),
        fc.constantFrom(undefined, 1, '\t', ' \r\n'),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (value, space, sizes) => {
          const text = JSON.stringify(value, null, space)
          // JSON.stringify of what JSON.parse gave: -0 is 0 there, in both.
          expect(JSON.stringify(await read(text, sizes))).toBe(JSON.stringify(JSON.parse(text)))
        },
      ),
      { numRuns: 150 },
    )
  })

  test('refuses whatever JSON.parse refuses, wherever the pieces end', async () => {
    const near = fc
      .array(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          'u00e9',
          'a',
          '1',
          '-',
          '.',
          'e',
          'null',
          ' ',
        ),
      )
      .map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(near, fc.integer({ min: 1, max: 4 }), async (text, size) => {
        let expected: unknown
        try {
          expected = { value: JSON.parse(text) as unknown }
        } catch {
          expected = 'refused'
        }
        const found = await read(text, [size]).then(
          (value) => ({ value: plain(value) }),
          (error: unknown) => (isBackupError(error, 'METADATA_INVALID') ? 'refused' : error),
        )
        expect(found).toEqual(expected)
      }),
      { numRuns: 1500 },
    )
  })

  test.each([
    ['nothing', ''],
    ['spaces alone', ' \n'],
    ['a text that is cut', '{"a": [1, 2'],
    ['a string that is cut', '"abc'],
    ['an escape that is cut', '"abc\\'],
    ['NaN', '[NaN]'],
    ['Infinity', 'Infinity'],
    ['-Infinity', '-Infinity'],
    ['a byte order mark', '\ufeff{}'],
    ['a newline in a string', '"a\nb"'],
    ['NUL between tokens', '[\0]'],
    ['two values', '{} {}'],
    ['a comma too many', '[1,]'],
    ['a comma after the last member', '{"a":1,}'],
    ['a member without a value', '{"a":}'],
    ['a key that is no string', '{1:2}'],
    ['single quotes', "{'a': 1}"],
    ['a leading zero', '[01]'],
    ['a bare point', '[1.]'],
    ['a plus', '[+1]'],
    ['the wrong bracket', '[1}'],
    ['a bracket too many', '[]]'],
    ['a bad escape', '"\\x41"'],
    ['half an escape', '"\\u12"'],
    ['a word in capitals', '[TRUE]'],
    ['a number of a thousand digits', '9'.repeat(1000)],
  ])('refuses %s', async (_name, text) => {
    for (const sizes of [[1], [2, 3], [100]]) {
      const error: unknown = await read(text, sizes).catch((caught: unknown) => caught)
      expect(isBackupError(error, 'METADATA_INVALID')).toBe(true)
      expect(error).toMatchObject({ details: place })
      expect(String(error)).toMatch(/at byte \d+/)
    }
  })

  test.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a character that is cut', [0x22, 0xe2, 0x82, 0x22]],
  ])('refuses bytes that are not UTF-8: %s', async (_name, bytes) => {
    await expect(read(Uint8Array.from(bytes), [1])).rejects.toThrow(/not UTF-8 \(at byte/)
  })

  test('keeps U+FEFF where it belongs to a string', async () => {
    expect(await read('"\ufeffa"')).toBe('\ufeffa')
  })

  test('says at which byte the fault is, counted over all pieces', async () => {
    await expect(read('{"abc": nul}', [3])).rejects.toThrow('"nul" is no JSON (at byte 11)')
  })

  test('makes a key `__proto__` a key like any other', async () => {
    const value = await read('{"__proto__": {"polluted": 1}, "constructor": 2}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((value as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('stops at the depth it is told', async () => {
    await expect(read('['.repeat(64) + ']'.repeat(64))).resolves.toBeDefined()
    await expect(read('['.repeat(65) + ']'.repeat(65))).rejects.toThrow('nested deeper than 64 levels')
    await expect(read('{"a":'.repeat(100_000), [50_000])).rejects.toThrow('nested deeper')
  })

  test('stops at the string length it is told, before it has read the string', async () => {
    const limits = { maxStringBytes: 10 }
    await expect(read('"0123456789"', [4], limits)).resolves.toBe('0123456789')
    await expect(read('"0123456789a"', [4], limits)).rejects.toThrow('more than 10 bytes')
    await expect(read('"0123456789a"', [100], limits)).rejects.toThrow('more than 10 bytes')
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('"')
      for (;;) yield Buffer.from('aaaa')
    }
    await expect(readJson(endless(), new JsonValueReader(() => undefined), place)).rejects.toThrow(
      'more than',
    )
  })

  test('stops at the number of bytes it is told', async () => {
    await expect(read('[1, 2]', [2], { maxBytes: 6 })).resolves.toEqual([1, 2])
    await expect(read('[1, 2] ', [2], { maxBytes: 6 })).rejects.toThrow('longer than 6 bytes')
  })

  test('ends the iteration of its pieces when it refuses', async () => {
    let ended = false
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('x')
      } finally {
        ended = true
      }
    }
    await expect(readJson(pieces(), new JsonValueReader(() => undefined), place)).rejects.toThrow('no JSON')
    expect(ended).toBe(true)
  })
})

describe('parseJsonText', () => {
  test.each(['9007199254740992', '-9007199254740993', '1e400', '[1, 123456789012345678901]'])(
    'refuses %s, which JavaScript would round',
    (text) => {
      expect(() => parseJsonText(text, place)).toThrow('a number that JavaScript cannot hold')
    },
  )

  test('takes the error code of its subject', () => {
    expect(() => parseJsonText('{', { code: 'RECORD_INVALID', what: 'The record', next: 'Again.' })).toThrow(
      expect.objectContaining({
        code: 'RECORD_INVALID',
        message: 'The record is not valid: it ends too early (at byte 1). Again.',
      }),
    )
  })

  test('refuses a tree that would be many times the size of its text', () => {
    expect(() => parseJsonText(`[${'[],'.repeat(maxTreeValues + 1)}1]`, place)).toThrow(
      'more than 1000000 values',
    )
  })

  test('gives the later of two members with one key, as JSON.parse and Python do', () => {
    expect(parseJsonText('{"a": 1, "a": 2}', place)).toEqual({ a: 2 })
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBackupError } from '../../src/errors/backup-error.js'
import { readListDocument, type ListDocument } from '../../src/format/list-document.js'
import { inPieces } from './pieces.js'

const subject = { container: 'c', objectName: 'o' }

interface Read {
  readonly items: readonly unknown[]
  readonly document: ListDocument
}

async function read(pieces: AsyncIterable<Uint8Array>): Promise<Read> {
  const items: unknown[] = []
  const onItem = (bytes: Buffer, start: number, end: number): void => {
    try {
      items.push(JSON.parse(bytes.toString('utf8', start, end)))
    } catch {
      throw new RangeError('not an item')
    }
  }
  const document = await readListDocument(pieces, { listKey: 'list', onItem, subject })
  return { items, document }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const isExact = (value: unknown): boolean =>
  typeof value === 'number'
    ? Math.abs(value) < 2 ** 53
    : typeof value !== 'object' || value === null || Object.values(value).every(isExact)

const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }).filter(isExact)
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })

describe('readListDocument', () => {
  test('hands over the items of the list and returns the rest, in any layout and any pieces', async () => {
    const fields = fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key !== 'list'),
      json,
      { maxKeys: 5 },
    )
    const indents = fc.constantFrom(undefined, 1, '\t', ' \r\n')
    await fc.assert(
      fc.asyncProperty(
        fields,
        fields,
        fc.array(json),
        indents,
        sizes,
        async (before, after, list, indent, cut) => {
          const value = { ...before, list, ...after, list2: { list: [1] } }
          const text = JSON.stringify(value, null, indent)
          const { items, document } = await read(inPieces(text, cut))
          expect(plain(items)).toEqual(plain(list))
          expect(plain(document.value)).toEqual(plain({ ...value, list: [] }))
          expect(document.lists).toBe(1)
          expect(document.repeatedKeys.size).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('refuses whatever JSON.parse refuses, and takes whatever it takes, wherever the pieces end', async () => {
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"list"',
      '"list":[',
      '\\',
      'u00e9',
      'a',
      '1',
      '-',
      '.',
      'null',
      ' ',
    ]
    const near = fc.array(fc.constantFrom(...tokens)).map((parts) => parts.join(''))
    const within = near.map((text) => `{"list":[${text}]}`)
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, within), fc.integer({ min: 1, max: 4 }), async (text, size) => {
        let expected: unknown
        try {
          JSON.parse(text)
          expected = 'taken'
        } catch {
          expected = 'refused'
        }
        const found = await read(inPieces(text, [size])).then(
          () => 'taken',
          (error: unknown) =>
            isBackupError(error, 'METADATA_INVALID') || error instanceof RangeError ? 'refused' : error,
        )
        expect(found).toBe(expected)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['nothing', ''],
    ['a list that is cut', '{"list": [1, 2'],
    ['an item that is cut', '{"list": [{"a": 1'],
    ['a string that is cut', '{"a": "abc'],
    ['an escape that is cut', '{"a": "abc\\'],
  ])('says that a text ends too early: %s', async (_name, text) => {
    for (const cut of [[1], [2, 3], [100]]) {
      await expect(read(inPieces(text, cut))).rejects.toMatchObject({
        code: 'METADATA_INVALID',
        message: expect.stringMatching(/ends too early \(at byte \d+\)/) as unknown,
        details: subject,
      })
    }
  })

  test('counts the lists and names the keys that are repeated', async () => {
    const { items, document } = await read(inPieces('{"list": [1], "a": 1, "list": [2], "a": 2}', [3]))
    expect(items).toEqual([1, 2])
    expect(document).toMatchObject({ value: { list: [], a: 2 }, lists: 2 })
    expect([...document.repeatedKeys].sort()).toEqual(['a', 'list'])
  })

  test('leaves a value that is not a list, and a list below another key, in the rest', async () => {
    const text = '{"a": {"list": [1]}, "b": ["list"], "list": {"list": [2]}}'
    const { items, document } = await read(inPieces(text, [4]))
    expect(items).toEqual([])
    expect(document.value).toEqual({ a: { list: [1] }, b: ['list'], list: { list: [2] } })
    expect(document.lists).toBe(0)
  })

  test('refuses levels beyond 64, in the list and beside it', async () => {
    for (const text of [`{"a":${'['.repeat(100_000)}`, `{"list":[${'{"a":'.repeat(100_000)}`]) {
      await expect(read(inPieces(text, [50_000]))).rejects.toThrow('nested deeper than 64 levels')
    }
  })

  test.each([
    ['an item', '{"list": ["'],
    ['what is beside the list', '{"a": "'],
  ])('refuses endless bytes in %s before they fill the memory', async (_name, start) => {
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(start)
      for (;;) yield Buffer.alloc(100_000, 'a')
    }
    await expect(read(endless())).rejects.toThrow('too long')
  })

  test('refuses bytes that are not UTF-8 beside the list', async () => {
    const text = Buffer.concat([Buffer.from('{"a": "'), Buffer.of(0xe2, 0x82), Buffer.from('", "list": []}')])
    await expect(read(inPieces(text, [2]))).rejects.toThrow('not UTF-8')
  })

  test('closes its pieces when it refuses', async () => {
    let isClosed = false
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('{"list": [,')
      } finally {
        isClosed = true
      }
    }
    await expect(read(pieces())).rejects.toThrow('unexpected `,` in `list` (at byte 10)')
    expect(isClosed).toBe(true)
  })
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HashList } from '../../src/format/hash-list.js'
import {
  parseSha256file,
  sha256fileBody,
  type Sha256file,
  type Sha256fileHeader,
} from '../../src/format/sha256file.js'
import { collect, golden, inPieces } from './pieces.js'

const place = { container: 'c', objectName: 'p_sha256file' }
const header: Sha256fileHeader = {
  backupId: 'f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f',
  volumeId: '6d8d6a3c-5f3f-44be-a14f-83ae0c3e8a3f',
  backupName: 'n\u00e9\x7f \u{1f600} "q" \\ / \n',
  backupDescription: '',
  createdAt: '2026-01-01 00:00:00+00:00',
  blockSizeBytes: 32768,
}

function listOf(hashes: readonly string[]): HashList {
  const list = new HashList()
  for (const hash of hashes) list.put(list.length, Buffer.from(hash, 'hex'))
  return list
}

function hexOf(list: HashList): string[] {
  const target = new Uint16Array(32)
  return Array.from({ length: list.length }, (_, index) => {
    list.hexInto(index, target, 0)
    return Buffer.from(target.buffer).toString('latin1')
  })
}

const hashesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => createHash('sha256').update(String(index)).digest('hex'))

const read = (text: string | Uint8Array, sizes?: readonly number[]): Promise<Sha256file> =>
  parseSha256file(inPieces(text, sizes), place)

function valid(): Record<string, unknown> {
  return {
    backup_description: null,
    backup_id: header.backupId,
    backup_name: null,
    chunk_size: 4096,
    created_at: header.createdAt,
    sha256s: hashesOf(2),
    version: '1.0.0',
    volume_id: header.volumeId,
  }
}

describe('sha256fileBody', () => {
  const cases = golden('sha256file.json') as { hashes: string[]; written: string }[]

  test.each(cases)(
    'writes $hashes.length hashes byte for byte as Cinder does',
    async ({ hashes, written }) => {
      const body = sha256fileBody(header, listOf(hashes))
      const bytes = await collect(body.stream())
      expect(bytes.toString('latin1')).toBe(written)
      expect(body.lengthBytes).toBe(bytes.length)
    },
  )

  test.each([3639, 3640, 3641, 7280, 10_000])(
    'writes %d hashes as JSON.stringify would, twice',
    async (count) => {
      const hashes = hashesOf(count)
      const body = sha256fileBody({ ...header, backupName: null }, listOf(hashes))
      const bytes = await collect(body.stream())
      const expected = { ...valid(), backup_description: '', chunk_size: 32768, sha256s: hashes }
      expect(bytes.toString() === JSON.stringify(expected, null, 2)).toBe(true)
      expect(body.lengthBytes).toBe(bytes.length)
      expect((await collect(body.stream())).equals(bytes)).toBe(true)
    },
  )

  test('makes all pieces of hashes in one buffer', async () => {
    const buffers = new Set<ArrayBufferLike>()
    for await (const piece of sha256fileBody(header, listOf(hashesOf(8000))).stream()) {
      if (piece.length > 100_000) buffers.add(piece.buffer)
    }
    expect(buffers.size).toBe(1)
  })
})

describe('readSha256file', () => {
  test('gives back whatever was written, over any pieces', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 })
    const anyHeader: fc.Arbitrary<Sha256fileHeader> = fc.record({
      backupId: fc.uuid(),
      volumeId: fc.uuid(),
      backupName: fc.option(text),
      backupDescription: fc.option(text),
      createdAt: text,
      blockSizeBytes: fc.integer({ min: 1, max: 2 ** 40 }),
    })
    const sizes = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(anyHeader, fc.nat({ max: 20 }), sizes, async (written, count, pieces) => {
        const hashes = hashesOf(count)
        const found = await read(await collect(sha256fileBody(written, listOf(hashes)).stream()), pieces)
        expect(found.header).toEqual(written)
        expect(hexOf(found.hashes)).toEqual(hashes)
      }),
      { numRuns: 100 },
    )
  })

  test('takes keys in any order, upper-case hex, escapes in place of letters and unknown keys', async () => {
    const { sha256s, chunk_size, ...rest } = valid()
    const [first = '', second = ''] = sha256s as string[]
    const value = { sha256s: [first.toUpperCase(), second], x: { sha256s: [1] }, ...rest, chunk_size }
    const { header: found, hashes } = await read(JSON.stringify(value), [5])
    expect(found.blockSizeBytes).toBe(4096)
    expect(hexOf(hashes)).toEqual([first, second])
  })

  test.each([
    ['chunk_size', 0],
    ['chunk_size', 2 ** 40 + 1],
    ['chunk_size', 1.5],
    ['chunk_size', '4096'],
    ['chunk_size', null],
    ['chunk_size', undefined],
    ['sha256s', undefined],
    ['sha256s', null],
    ['sha256s', {}],
    ['sha256s', 'aa'],
    ['version', 1],
    ['backup_id', null],
    ['volume_id', '../x'],
    ['backup_name', 1],
  ])('refuses `%s` that is %j', async (key, value) => {
    await expect(read(JSON.stringify({ ...valid(), [key]: value }))).rejects.toThrow(
      expect.objectContaining({
        code: 'METADATA_INVALID',
        message: expect.stringContaining(`\`${key}\` `) as unknown,
        details: place,
      }),
    )
  })

  test.each([
    ['63 digits', 'a'.repeat(63)],
    ['65 digits', 'a'.repeat(65)],
    ['none', ''],
    ['a letter that is no digit', `${'a'.repeat(63)}g`],
    ['a first letter that is no digit', `g${'a'.repeat(63)}`],
    ['a letter beyond ASCII', `${'a'.repeat(62)}é`],
    ['null', null],
    ['a number', 1],
    ['a list', [hashesOf(1)[0]]],
    ['an object', { a: hashesOf(1)[0] }],
  ])('refuses a hash of %s', async (_name, hash) => {
    const text = JSON.stringify({ ...valid(), sha256s: [...hashesOf(1), hash, ...hashesOf(1)] })
    await expect(read(text, [9])).rejects.toThrow('`sha256s[1]` must be 64 hex digits')
  })

  test('refuses another version in the words of Cinder', async () => {
    await expect(read(JSON.stringify({ ...valid(), sha256s: [1], version: '2.0.0' }))).rejects.toThrow(
      expect.objectContaining({
        code: 'VERSION_UNSUPPORTED',
        message: expect.stringContaining('No support to restore backup version 2.0.0') as unknown,
      }),
    )
  })

  test('refuses a text that is cut anywhere', async () => {
    const text = JSON.stringify(valid())
    for (let length = 0; length < text.length; length += 7) {
      await expect(read(text.slice(0, length))).rejects.toThrow('ends too early')
    }
  })
})

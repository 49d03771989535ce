import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExtraMetadata } from '../../src/contracts/records.js'
import { isBackupError } from '../../src/errors/backup-error.js'
import { FORMAT_VERSION } from '../../src/format/json.js'
import { manifestBody } from '../../src/format/manifest-writer.js'
import { parseManifest } from '../../src/format/manifest-reader.js'
import type { Manifest, StoredObject } from '../../src/format/manifest.js'
import { dataObjectName, manifestObjectName } from '../../src/format/object-names.js'
import { collect, golden, inPieces } from './pieces.js'

const id = 'f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f'
const volumeId = '6d8d6a3c-5f3f-44be-a14f-83ae0c3e8a3f'
const prefix = `volume_${volumeId}/20260101000000/az_nova_backup_${id}`
const place = { container: 'volumebackups', objectName: manifestObjectName(prefix) }
const md5 = 'd41d8cd98f00b204e9800998ecf8427e'

const minimal: Manifest = {
  version: FORMAT_VERSION,
  backupId: id,
  volumeId,
  backupName: null,
  backupDescription: null,
  createdAt: '2026-01-01 00:00:00+00:00',
  parentId: null,
  volumeMeta: null,
  extraMetadata: null,
  objects: [],
  volumeSizeBytes: null,
  checksummed: false,
}

function stored(number: number, over: Partial<StoredObject> = {}): StoredObject {
  const name = dataObjectName(prefix, number)
  return { name, offsetBytes: 0, lengthBytes: 1, compression: 'none', md5, ...over }
}

const parse = (text: string | Uint8Array, sizes?: readonly number[]): Promise<Manifest> =>
  parseManifest(inPieces(text, sizes), place)

/** A valid text, as an object to spoil. */
function valid(): Record<string, unknown> {
  return {
    version: '1.0.0',
    backup_id: id,
    volume_id: volumeId,
    created_at: '2026-01-01 00:00:00+00:00',
    parent_id: null,
    objects: [entry('-00001')],
  }
}

function entry(suffix: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return { [prefix + suffix]: { compression: 'none', length: 1, md5, offset: 0, ...over } }
}

async function refusal(text: string | Uint8Array): Promise<string> {
  const error: unknown = await parse(text, [11]).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'METADATA_INVALID', details: place })
  return (error as Error).message
}

describe('the sizes that Stowage states', () => {
  const sizes = { chunkSizeBytes: 65536, blockSizeBytes: 4096, storedDataBytes: 10, sha256fileBytes: 400 }
  const keys = [
    ...['stowage_block_size_bytes', 'stowage_chunk_size_bytes', 'stowage_data_bytes'],
    'stowage_sha256file_bytes',
  ]

  test('stand where Python sorts them, and are read again', async () => {
    const metadata = { ...minimal, parentPrefix: 'p', sizes, volumeSizeBytes: 0, checksummed: true }
    const text = (await collect((await manifestBody(metadata)).stream())).toString()
    const written = Object.keys(JSON.parse(text) as object)
    expect(written).toEqual([...written].sort())
    expect(written.filter((key) => keys.includes(key))).toEqual(keys)
    expect(await parse(text)).toEqual(metadata)
  })

  test('count as unknown where one of them is missing, as in what Cinder wrote', async () => {
    const all = { ...valid(), ...Object.fromEntries(keys.map((key) => [key, 5])) }
    expect((await parse(JSON.stringify(all))).sizes).toBeDefined()
    for (const key of keys) {
      expect((await parse(JSON.stringify({ ...all, [key]: undefined }))).sizes).toBeUndefined()
    }
    expect(await refusal(JSON.stringify({ ...all, stowage_data_bytes: -1 }))).toContain('stowage_data_bytes')
    expect(await refusal(JSON.stringify({ ...all, stowage_chunk_size_bytes: 0 }))).toContain('stowage_chunk')
  })
})

describe('metadataBody', () => {
  const cases = golden('metadata.json') as {
    extra: ExtraMetadata
    volumeMeta: string | null
    written: string
  }[]
  const inputs: Manifest[] = [
    minimal,
    {
      ...minimal,
      backupName: 'n\u00e9\x7f \u{1f600} "q" \\ / \n',
      backupDescription: '',
      parentId: '0b1e',
      objects: [
        stored(1, { lengthBytes: 52428800, compression: 'zlib' }),
        stored(100_000, { offsetBytes: 2 ** 52, md5: '0cc175b9c0f1b6a831c399e269772661' }),
      ],
    },
    { ...minimal, objects: [stored(1, { lengthBytes: 0, compression: 'bz2' })] },
  ]

  test.each(inputs.map((input, index) => ({ index, input })))(
    'writes case $index byte for byte as Cinder does',
    async ({ index, input }) => {
      const { extra, volumeMeta, written } = cases[index]!
      const body = await manifestBody({ ...input, volumeMeta, extraMetadata: extra })
      const bytes = await collect(body.stream())
      expect(bytes.toString('latin1')).toBe(written)
      expect(body.lengthBytes).toBe(bytes.length)
      expect(await collect(body.stream())).toEqual(bytes)
    },
  )

  test('adds nothing to what Cinder writes but the size of the volume, as its last key', async () => {
    const without = (await collect((await manifestBody(minimal)).stream())).toString()
    const body = await manifestBody({ ...minimal, volumeSizeBytes: 2 ** 40 + 1 })
    const withSize = (await collect(body.stream())).toString()
    expect(withSize).toBe(without.replace(/\n}$/, ',\n  "volume_size_bytes": 1099511627777\n}'))
    expect(body.lengthBytes).toBe(withSize.length)
  })
})

describe('parseMetadata', () => {
  const cases = golden('metadata.json') as { objectName: string; written: string }[]

  test.each(cases)('reads what Cinder wrote, and writes it again', async ({ objectName, written }) => {
    const metadata = await parseManifest(inPieces(written, [1]), { container: 'c', objectName })
    expect((await collect((await manifestBody(metadata)).stream())).toString()).toBe(written)
  })

  test('gives back whatever was written, over any pieces', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    const objects = fc.uniqueArray(fc.integer({ min: 1, max: 300_000 }), { maxLength: 6 }).chain((numbers) =>
      fc.tuple(
        ...numbers.map((number) =>
          fc.record({
            name: fc.constant(dataObjectName(prefix, number)),
            offsetBytes: fc.maxSafeNat().map((value) => Math.floor(value / 2)),
            lengthBytes: fc.maxSafeNat().map((value) => Math.floor(value / 2)),
            compression: fc.constantFrom('none', 'zlib', 'zstd'),
            md5: fc.option(fc.constant(md5)),
          }),
        ),
      ),
    )
    const metadata: fc.Arbitrary<Manifest> = fc.record({
      version: fc.constant(FORMAT_VERSION),
      backupId: fc.uuid(),
      volumeId: fc.uuid(),
      backupName: fc.option(text),
      backupDescription: fc.option(text),
      createdAt: text,
      parentId: fc.option(fc.uuid()),
      volumeMeta: fc.option(text),
      extraMetadata: fc.option(fc.dictionary(text, text, { minKeys: 1, maxKeys: 3 })),
      objects,
      volumeSizeBytes: fc.constantFrom(null, Number.MAX_SAFE_INTEGER),
      checksummed: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        metadata,
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1 }),
        async (value, sizes) => {
          const bytes = await collect((await manifestBody(value)).stream())
          expect(await parse(bytes, sizes)).toEqual(value)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('takes keys in any order, ignores those it does not know, and lower-cases words and hashes', async () => {
    const objects = [
      entry('-00001', {
        md5: md5.toUpperCase(),
        compression: 'ZLIB',
        new: [{ length: -1 }],
        deep: { md5: 1 },
      }),
    ]
    const { version, created_at, ...rest } = valid()
    const unknown = { objects: [1, { version: '9' }], a: [[null]] }
    const text = JSON.stringify({ volume_meta: null, unknown, created_at, ...rest, objects, version })
    expect((await parse(text, [3])).objects).toEqual([stored(1, { compression: 'zlib' })])
  })

  test('takes what an older Cinder left out, and objects without an MD5', async () => {
    const text = JSON.stringify({
      ...valid(),
      parent_id: undefined,
      objects: [entry('-00001', { md5: undefined }), entry('-00002', { md5: null })],
    })
    const metadata = await parse(text)
    expect(metadata.parentId).toBeNull()
    expect(metadata.objects.map((object) => object.md5)).toEqual([null, null])
  })

  test('keeps the order of the list where names do not sort past 99,999', async () => {
    const objects = Array.from({ length: 100_003 }, (_, index) => stored(index + 1, { offsetBytes: index }))
    const body = await manifestBody({ ...minimal, objects })
    const bytes = await collect(body.stream())
    expect(bytes.length).toBe(body.lengthBytes)
    const metadata = await parse(bytes)
    expect(metadata.objects.map((object) => object.name)).toEqual(objects.map((object) => object.name))
    expect(metadata.objects[100_002]?.name).toBe(`${prefix}-100003`)
    expect([...metadata.objects.map((object) => object.name)].sort()).not.toEqual(
      objects.map((object) => object.name),
    )
  })

  test('keeps `__proto__` in extra metadata from being a prototype', async () => {
    const text = JSON.stringify(valid()).replace('{', '{"extra_metadata":{"__proto__":{"admin":true}},')
    const { extraMetadata } = await parse(text)
    expect(Object.keys(extraMetadata ?? {})).toEqual(['__proto__'])
    expect((extraMetadata as Record<string, unknown>)['admin']).toBeUndefined()
    await expect(
      parse(JSON.stringify(valid()).replace('{', '{"__proto__":{"objects":[]},')),
    ).resolves.toBeDefined()
  })

  test.each([
    ['2.0.0', {}],
    ['', {}],
    ['1.0.0 ', { objects: 7 }],
    ['2.0.0', { objects: { chunks: [] }, backup_id: null, volume_meta: [] }],
  ])('refuses version %j in the words of Cinder, however foreign the rest', async (version, over) => {
    for (const value of [
      { ...valid(), ...over, version },
      { version, ...over },
    ]) {
      const error: unknown = await parse(JSON.stringify(value)).catch((caught: unknown) => caught)
      expect(isBackupError(error, 'VERSION_UNSUPPORTED')).toBe(true)
      expect(String(error)).toContain(`No support to restore backup version ${version}.`)
      expect(error).toMatchObject({ details: place })
    }
  })

  test.each([
    ['an array', '[]', '`.` must be an object'],
    ['a string', '"x"', '`.` must be an object'],
    ['null', 'null', '`.` must be an object'],
    ['a number', '1', '`.` must be an object'],
    ['an empty object', '{}', '`version` is missing'],
    ['a truncated text', JSON.stringify(valid()).slice(0, -9), 'ends too early'],
    ['a BOM', `\ufeff${JSON.stringify(valid())}`, 'it is not valid JSON'],
    ['two documents', `${JSON.stringify(valid())}{}`, 'it is not valid JSON'],
    [
      'a key twice',
      JSON.stringify(valid()).replace('{', `{"backup_id":"${id}",`),
      '`backup_id` occurs twice',
    ],
  ])('refuses %s', async (_name, text, message) => {
    expect(await refusal(text)).toContain(message)
  })

  test('refuses bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...valid(), backup_name: 'xx' }))
    bytes[bytes.indexOf('xx')] = 0xff
    expect(await refusal(bytes)).toContain('not UTF-8')
  })

  test.each([
    ['version', 1],
    ['version', null],
    ['version', undefined],
    ['backup_id', undefined],
    ['backup_id', null],
    ['backup_id', 7],
    ['backup_id', '../x'],
    ['volume_id', {}],
    ['volume_id', 'a/b'],
    ['parent_id', 'a..b'],
    ['parent_id', 3],
    ['created_at', undefined],
    ['created_at', 20260101],
    ['backup_name', ['x']],
    ['backup_description', false],
    ['volume_meta', { version: 2 }],
    ['volume_meta', 2],
    ['extra_metadata', 'x'],
    ['extra_metadata', []],
    ['extra_metadata', 1],
    ['objects', undefined],
    ['objects', null],
    ['objects', {}],
    ['objects', 'x'],
    ['volume_size_bytes', -1],
    ['volume_size_bytes', '1'],
    ['volume_size_bytes', 1.5],
  ])('refuses `%s` that is %j', async (key, value) => {
    expect(await refusal(JSON.stringify({ ...valid(), [key]: value }))).toContain(`\`${key}\` `)
  })

  test.each([
    ['no key', {}, "objects[1]` must have one key, an object's name, but has 0"],
    ['two keys', { ...entry('-00002'), ...entry('-00003') }, 'but has 2'],
    ['a list', [], 'objects[1]` must be an object, but is an array'],
    ['null', null, 'objects[1]` must be an object, but is null'],
    ['a text', 'x', 'objects[1]` must be an object, but is a string'],
    ['a name with null', { [`${prefix}-00002`]: null }, 'must be an object, but is null'],
    ['a name with a list', { [`${prefix}-00002`]: [{ md5 }] }, 'must be an object, but is an array'],
    ['a name outside of the prefix', { 'volume_other-00001': {} }, 'names "volume_other-00001"'],
    ['the prefix alone', { [prefix]: {} }, 'at least five digits'],
    ['the objects of a backup whose prefix goes on', entry('-b-00001'), 'at least five digits'],
    ['the commit object itself', entry('_metadata'), 'at least five digits'],
    ['a way out', entry('-00001/../../x'), 'at least five digits'],
    ['`..` in front', { [`../${prefix}-00002`]: {} }, 'at least five digits'],
    ['a NUL', entry('-00002\0'), 'at least five digits'],
    ['a name twice', entry('-00001'), 'a second time'],
    [
      'a negative offset',
      entry('-00002', { offset: -1 }),
      '.offset` must be an integer from 0 on, but is the number -1',
    ],
    [
      'an offset as text',
      entry('-00002', { offset: '1' }),
      '.offset` must be an integer from 0 on, but is a string',
    ],
    ['a broken length', entry('-00002', { length: 1.5 }), '.length` must be'],
    ['no length', entry('-00002', { length: undefined }), '.length` is missing'],
    ['no offset', entry('-00002', { offset: undefined }), '.offset` is missing'],
    ['no word', entry('-00002', { compression: undefined }), '.compression` is missing'],
    ['no real word', entry('-00002', { compression: null }), '.compression` must be'],
    ['an empty word', entry('-00002', { compression: '' }), '.compression` must be'],
    ['a length in an object', entry('-00002', { length: { length: 1 } }), '.length` must be'],
    ['a short MD5', entry('-00002', { md5: 'ab' }), '.md5` must be 32 hex digits or null'],
    ['an MD5 that is none', entry('-00002', { md5: 'g'.repeat(32) }), '.md5` must be'],
    [
      'an end that is not exact',
      entry('-00002', { offset: 2 ** 53 - 1, length: 1 }),
      'beyond what JavaScript counts',
    ],
  ])('refuses an entry with %s', async (_name, spoiled, message) => {
    const text = JSON.stringify({ ...valid(), objects: [entry('-00001'), spoiled] })
    expect(await refusal(text)).toContain(message)
  })

  test.each(['9007199254740993', '1e400', '1e-3'])('refuses an offset of %s', async (number) => {
    expect(await refusal(JSON.stringify(valid()).replace('"offset":0', `"offset":${number}`))).toContain(
      '.offset` must be an integer from 0 on, but is the number',
    )
  })

  test('takes an integer in any notation of JSON, and the later of two members with one key, as Python does', async () => {
    const text = JSON.stringify(valid()).replace('"offset":0', '"offset":7,"offset":1e3')
    expect((await parse(text)).objects[0]?.offsetBytes).toBe(1000)
  })

  test('refuses a name twice wherever the names are out of order', async () => {
    const objects = ['-00003', '-00001', '-00002', '-00003'].map((suffix) => entry(suffix))
    expect(await refusal(JSON.stringify({ ...valid(), objects }))).toContain('a second time')
    const shuffled = ['-00003', '-00001', '-000002', '-00002'].map((suffix) => entry(suffix))
    expect((await parse(JSON.stringify({ ...valid(), objects: shuffled }))).objects).toHaveLength(4)
  })

  test('refuses an object that reaches past the end of the volume', async () => {
    const objects = [entry('-00001', { offset: 90, length: 11 })]
    expect(await refusal(JSON.stringify({ ...valid(), objects, volume_size_bytes: 100 }))).toContain(
      'reach to byte 101',
    )
    await expect(
      parse(JSON.stringify({ ...valid(), objects, volume_size_bytes: 101 })),
    ).resolves.toBeDefined()
  })

  test('refuses a text that is nested too deep, in keys that it ignores too', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(await refusal(JSON.stringify(valid()).replace('{', `{"x":${deep},`))).toContain('nested deeper')
  })

  test('refuses to read from an object that is no commit object', async () => {
    await expect(
      parseManifest(inPieces(JSON.stringify(valid())), { container: 'c', objectName: 'x' }),
    ).rejects.toThrow('does not end with _metadata')
    await expect(
      parseManifest(inPieces(JSON.stringify(valid())), { container: 'c', objectName: '../x_metadata' }),
    ).rejects.toThrow('leads elsewhere')
  })

  test('shows no more than a little of a hostile name', async () => {
    const message = await refusal(
      JSON.stringify({ ...valid(), objects: [{ [`\n${'x'.repeat(100_000)}`]: {} }] }),
    )
    expect(message.length).toBeLessThan(1000)
    expect(message).not.toContain('\n')
  })
})

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExportedRecord } from '../../src/contracts/requests.js'
import type { BackupRecord, JsonValue } from '../../src/contracts/records.js'
import { pythonDumps } from '../../src/format/python-json.js'
import { decodeRecord, encodeRecord } from '../../src/format/record.js'

const service = 'cinder.backup.drivers.swift.SwiftBackupDriver'
const id = 'f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f'
const volumeId = '6d8d6a3c-5f3f-44be-a14f-83ae0c3e8a3f'
const gib = 2 ** 30
const record: BackupRecord = {
  id,
  volumeId,
  parentId: null,
  container: 'volumebackups',
  prefix: `volume_${volumeId}/20260101000000/az_nova_backup_${id}`,
  name: 'n\u00e9\x7f',
  description: null,
  createdAt: '2026-01-01T00:00:00Z',
  sizeBytes: gib + 1,
  objectCount: 3,
}

/** What Cinder's own `Backup.encode_record` made: see test/format/golden/make_goldens.py. */
const golden = JSON.parse(readFileSync(new URL('../format/golden/record.json', import.meta.url), 'utf8')) as {
  backupService: string
  plain: string
  withSize: string
}

const json = (exported: ExportedRecord): Record<string, JsonValue> =>
  JSON.parse(Buffer.from(exported.backupUrl, 'base64').toString()) as Record<string, JsonValue>

const exportedOf = (value: unknown): ExportedRecord => ({
  backupService: service,
  backupUrl: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64'),
})

const spoiled = (over: Record<string, unknown>): ExportedRecord =>
  exportedOf({ ...json(encodeRecord(record, service)), ...over })

describe('encodeRecord', () => {
  test('writes byte for byte what Cinder writes of the same backup', () => {
    // Fields that only Cinder has: its import overwrites or drops them.
    const cinders = { user_id: 'u', project_id: 'p', host: 'h', availability_zone: 'nova' }
    const written = pythonDumps({ ...json(encodeRecord(record, service)), ...cinders })
    expect(Buffer.from(written).toString('base64')).toBe(golden.withSize)
    expect(golden.backupService).toBe(service)
  })

  test.each([
    [0, 1],
    [1, 1],
    [gib, 1],
    [gib + 1, 2],
    [5 * gib, 5],
  ])('gives a volume of %d bytes the size of %d GiB', (sizeBytes, size) => {
    expect(json(encodeRecord({ ...record, sizeBytes }, service))['size']).toBe(size)
  })
})

describe('decodeRecord', () => {
  const { container, prefix } = record

  test.each(['plain', 'withSize'] as const)(
    'finds the place of a backup in what Cinder wrote: %s',
    (form) => {
      const exported = { backupService: golden.backupService, backupUrl: golden[form] }
      expect(decodeRecord(exported)).toEqual({ id, container, prefix })
    },
  )

  test('accepts every record that was encoded', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 })
    fc.assert(
      fc.property(
        fc.record({
          id: fc.uuid(),
          volumeId: fc.uuid(),
          parentId: fc.option(fc.uuid()),
          container: fc.constantFrom('c', 'ab/cd/abcd'),
          name: fc.option(text),
          description: fc.option(text),
          sizeBytes: fc.maxSafeNat(),
          objectCount: fc.nat(),
        }),
        (fields) => {
          const place = {
            ...{ id: fields.id, container: fields.container },
            prefix: `volume_${fields.volumeId}_backup_${fields.id}`,
          }
          expect(decodeRecord(encodeRecord({ ...record, ...fields, ...place }, service))).toEqual(place)
        },
      ),
    )
  })

  test.each(['!!!!', 'e30', 'e3 0=', 'e30=\n', ' e30=', 'e30=e30=', 'e31=', '_-__', ''])(
    'refuses %j, which is not strict base64 of an object',
    (backupUrl) => {
      expect(() => decodeRecord({ backupService: service, backupUrl })).toThrow(
        expect.objectContaining({ code: 'RECORD_INVALID' }),
      )
    },
  )

  test.each(['{', '[]', 'null', '"x"', '{"id": NaN}', '{} {}', '['.repeat(1000), '\ufeff{}'])(
    'refuses the JSON %j',
    (text) => {
      expect(() => decodeRecord(exportedOf(text))).toThrow(
        expect.objectContaining({ code: 'RECORD_INVALID' }),
      )
    },
  )

  test.each([
    ['id', undefined],
    ['id', 'a/../b'],
    ['id', 7],
    ['volume_id', undefined],
    ['volume_id', '..'],
    ['parent_id', '../x'],
    ['parent_id', ''],
    ['container', null],
    ['container', '../up'],
    ['container', '/abs'],
    ['service_metadata', null],
    ['service_metadata', `../backup_${id}`],
    ['service_metadata', `a\0_${id}`],
    ['service_metadata', 'volume_other_backup_other'],
    ['size', undefined],
    ['size', -1],
    ['size', 1.5],
    ['size', '1'],
    ['size', 2 ** 40],
    ['size', 3],
    ['object_count', -1],
    ['display_name', 5],
    ['display_description', {}],
    ['created_at', null],
    ['created_at', 'yesterday'],
    ['driver_info', { stowage_size_bytes: '1' }],
    ['driver_info', { stowage_size_bytes: 5 * gib }],
  ])('refuses a record whose `%s` is %j', (key, value) => {
    expect(() => decodeRecord(spoiled({ [key]: value }))).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
  })

  test('refuses a record of more than a megabyte', () => {
    expect(() => decodeRecord(spoiled({ display_name: 'x'.repeat(1024 * 1024) }))).toThrow('longer than')
    expect(() => decodeRecord({ backupService: service, backupUrl: 'A'.repeat(4 * 1024 * 1024) })).toThrow(
      'too long',
    )
  })

  test('takes unknown keys, `__proto__` among them, and lets them do nothing', () => {
    const text = JSON.stringify({ ...json(encodeRecord(record, service)), new: [1] }).replace(
      '{',
      '{"__proto__":{"id":"x"},',
    )
    expect(decodeRecord(exportedOf(text))).toEqual({ id, container, prefix })
  })

  test('takes a record without a count of objects', () => {
    expect(decodeRecord(spoiled({ object_count: null }))).toEqual({ id, container, prefix })
  })
})

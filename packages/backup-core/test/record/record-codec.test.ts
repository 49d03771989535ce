import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExportedRecord } from '../../src/contracts/requests.js'
import type { BackupRecord } from '../../src/contracts/records.js'
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

const json = (exported: ExportedRecord): Record<string, unknown> =>
  JSON.parse(Buffer.from(exported.backupUrl, 'base64').toString()) as Record<string, unknown>

const exportedOf = (value: unknown): ExportedRecord => ({
  backupService: service,
  backupUrl: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64'),
})

const spoiled = (over: Record<string, unknown>): ExportedRecord =>
  exportedOf({ ...json(encodeRecord(record, service)), ...over })

describe('encodeRecord', () => {
  test('writes byte for byte what Cinder writes of the same backup', () => {
    const extra = { userId: 'u', projectId: 'p', host: 'h', availabilityZone: 'nova' }
    expect(encodeRecord(record, service, extra)).toEqual({
      backupService: golden.backupService,
      backupUrl: golden.withSize,
    })
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
  test('reads what Cinder wrote, in whole GiB', () => {
    expect(decodeRecord({ backupService: golden.backupService, backupUrl: golden.plain })).toEqual({
      ...record,
      sizeBytes: 2 * gib,
      sizeIsExact: false,
      serviceName: service,
    })
  })

  test('gives back what was encoded, with the exact size', () => {
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
          const written = { ...record, ...fields, prefix: `volume_${fields.volumeId}_backup_${fields.id}` }
          expect(decodeRecord(encodeRecord(written, service))).toEqual({
            ...written,
            sizeIsExact: true,
            serviceName: service,
          })
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
    expect(decodeRecord(exportedOf(text))).toMatchObject(record)
  })

  test('takes a record without a count of objects', () => {
    expect(decodeRecord(spoiled({ object_count: null })).objectCount).toBe(0)
  })
})

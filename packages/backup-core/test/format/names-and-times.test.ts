import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assertBackupId,
  assertContainerName,
  assertObjectName,
  assertVolumeId,
  dataObjectName,
  isBackupObjectName,
  manifestObjectName,
  prefixOfManifestObject,
  sha256fileObjectName,
} from '../../src/format/object-names.js'
import {
  formatCreatedAt,
  formatPrefixTimestamp,
  isoCreatedAt,
  parseCreatedAt,
} from '../../src/format/timestamps.js'

describe('object names', () => {
  test('number chunks in five digits, and in more from 100000 on', () => {
    expect(dataObjectName('p', 1)).toBe('p-00001')
    expect(dataObjectName('p', 99_999)).toBe('p-99999')
    expect(dataObjectName('p', 100_000)).toBe('p-100000')
  })

  test.each([0, -1, 1.5, NaN, 2 ** 53])('have no chunk number %s', (number) => {
    expect(() => dataObjectName('p', number)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('belong to the backup whose prefix they have, and to no other', () => {
    const own = [
      dataObjectName('v_a', 1),
      dataObjectName('v_a', 123_456),
      manifestObjectName('v_a'),
      sha256fileObjectName('v_a'),
    ]
    expect(own.every((name) => isBackupObjectName('v_a', name))).toBe(true)
    const foreign = [
      'v_a',
      'v_a-',
      'v_a-0001',
      'v_a-00001x',
      'v_ab-00001',
      'v_ab_metadata',
      'v_a-b-00001',
      'v_a-b_metadata',
      'v_a_metadata2',
      'v_a-00001_metadata',
      'v_a-00001-00001',
      'v_a-００００１',
      'x/v_a-00001',
    ]
    expect(foreign.filter((name) => isBackupObjectName('v_a', name))).toEqual([])
  })

  test('of a commit object give the prefix back', () => {
    expect(prefixOfManifestObject('a/b_metadata')).toBe('a/b')
    expect(prefixOfManifestObject('_metadata')).toBeNull()
    expect(prefixOfManifestObject('a/b_sha256file')).toBeNull()
  })

  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/../b',
    '..',
    'a/.',
    'a\0b',
    'a\ud800',
    'é'.repeat(513),
    'a'.repeat(1025),
  ])('must not be %j', (name) => {
    expect(() => {
      assertObjectName(name)
    }).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test.each(['a', 'a/b', '..a/b..', 'é'.repeat(512), '\u{1f600}', 'a b\n', '...'])('may be %j', (name) => {
    expect(() => {
      assertObjectName(name)
    }).not.toThrow()
  })

  test('of containers may have directories in them but not leave the root', () => {
    expect(() => {
      assertContainerName('ab/cd/abcd')
    }).not.toThrow()
    for (const name of ['', '../x', '/x', 'x/..', 'x'.repeat(257)]) {
      expect(() => {
        assertContainerName(name)
      }).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    }
  })

  test('take ids of letters, digits and a few signs', () => {
    for (const assert of [assertBackupId, assertVolumeId]) {
      for (const id of ['f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f', 'a', '0.b_C-d', 'x'.repeat(128)]) {
        expect(() => {
          assert(id)
        }).not.toThrow()
      }
      for (const id of ['', '.a', '-a', '_a', 'a/b', 'a..b', 'é', 'a\n', 'x'.repeat(129), 'a b', '..']) {
        expect(() => {
          assert(id)
        }).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
      }
    }
  })
})

describe('times', () => {
  test.each([
    ['2026-01-01 00:00:00+00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01 00:00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T10:20:30.123450', '2026-01-01T10:20:30.12345Z'],
    ['2026-01-01 00:00:00.000000+00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01 00:00:00+02:00', '2025-12-31T22:00:00Z'],
    ['0000-01-01 00:00:00+23:00', '0000-01-01 00:00:00+23:00'],
    ['9999-12-31 23:00:00-02:00', '9999-12-31 23:00:00-02:00'],
    ['long ago', 'long ago'],
  ])('that are stored as %s are %s in a record', (stored, iso) => {
    expect(isoCreatedAt(stored)).toBe(iso)
  })

  test('are written as Python writes them, in UTC and whole seconds', () => {
    const date = new Date('2026-01-02T03:04:05.678Z')
    expect(formatCreatedAt(date)).toBe('2026-01-02 03:04:05+00:00')
    expect(formatPrefixTimestamp(date)).toBe('20260102030405')
  })

  test.each([
    ['2026-01-02 03:04:05+00:00', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02 03:04:05.678901+00:00', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02 03:04:05.6', '2026-01-02T03:04:05.600Z'],
    ['2026-01-02 03:04:05+05:30', '2026-01-01T21:34:05.000Z'],
    ['2026-01-02 03:04:05-0100', '2026-01-02T04:04:05.000Z'],
    ['2026-01-02 03:04:05+00:00:30', '2026-01-02T03:03:35.000Z'],
    ['0001-01-01 00:00:00', '0001-01-01T00:00:00.000Z'],
  ])('are read from %s', (text, iso) => {
    expect(parseCreatedAt(text)?.toISOString()).toBe(iso)
  })

  test.each([
    '',
    'None',
    'now',
    '2026-01-02',
    '2026-02-30 00:00:00',
    '2026-13-01 00:00:00',
    '2026-01-01 24:00:00',
    '2026-01-01 00:00:00+25:00',
    ' 2026-01-01 00:00:00',
    '2026-01-01 00:00:00 UTC',
  ])('are not read from %j', (text) => {
    expect(parseCreatedAt(text)).toBeNull()
  })

  test('are read back as written', () => {
    const seconds = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(seconds, (date) => {
        date.setUTCMilliseconds(0)
        expect(parseCreatedAt(formatCreatedAt(date))?.getTime()).toBe(date.getTime())
      }),
    )
  })

  test.each([new Date(NaN), new Date(8.64e15), new Date(-8.64e15)])(
    'refuse a clock that gives %s',
    (date) => {
      expect(() => formatCreatedAt(date)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    },
  )
})

import { describe, expect, test } from 'vitest'
import { encodeVolumeMetadata, restoredVolumeMetadata } from '../../src/format/volume-meta.js'

const base = { id: 'v', size: 1, display_name: 'n', display_description: null, encryption_key_id: 'k' }
const whole = {
  'volume-base-metadata': base,
  'volume-metadata': { a: 'b' },
  'volume-glance-metadata': { image_id: 'i' },
}

describe('encodeVolumeMetadata', () => {
  test('keeps a string as it is', () => {
    const text = ' {"version":2 , "x": "\\u00E9"}\n'
    expect(encodeVolumeMetadata(text)).toBe(text)
    expect(encodeVolumeMetadata(null)).toBeNull()
  })

  test('encodes an object as Cinder does: spaces after signs, ASCII, the order of the keys', () => {
    expect(encodeVolumeMetadata({ version: 2, 'volume-metadata': { b: 'é\x7f', a: [1, null] } })).toBe(
      '{"version": 2, "volume-metadata": {"b": "\\u00e9\\u007f", "a": [1, null]}}',
    )
  })

  test.each([
    '',
    'x',
    '[]',
    '"x"',
    'null',
    '{"a":NaN}',
    '{} {}',
    '\ufeff{}',
    `${'{"a":'.repeat(80)}1${'}'.repeat(80)}`,
  ])('refuses %j, which is not the JSON of an object', (text) => {
    expect(() => encodeVolumeMetadata(text)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('refuses numbers that JSON does not have', () => {
    expect(() => encodeVolumeMetadata({ a: NaN })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})

describe('restoredVolumeMetadata', () => {
  test('gives back of version 1 the names and both maps', () => {
    expect(restoredVolumeMetadata(JSON.stringify({ version: 1, ...whole }))).toEqual({
      base: { display_name: 'n', display_description: null },
      volume: { a: 'b' },
      glance: { image_id: 'i' },
    })
  })

  test('gives back of version 2 the id of the encryption key too', () => {
    expect(restoredVolumeMetadata(JSON.stringify({ version: 2, ...whole }))?.base).toEqual({
      display_name: 'n',
      display_description: null,
      encryption_key_id: 'k',
    })
  })

  test('gives empty parts for those that the volume did not have, and null for no text', () => {
    expect(restoredVolumeMetadata('{"version": 2}')).toEqual({ base: {}, volume: {}, glance: {} })
    expect(restoredVolumeMetadata(null)).toBeNull()
    expect(restoredVolumeMetadata('')).toBeNull()
  })

  test.each([
    ['3', '3'],
    ['0', '0'],
    ['"2"', '"2"'],
    ['null', 'null'],
  ])('refuses version %s in the words of Cinder', (version, shown) => {
    expect(() => restoredVolumeMetadata(`{"version": ${version}}`)).toThrow(
      expect.objectContaining({
        code: 'VOLUME_METADATA_UNSUPPORTED',
        message: expect.stringContaining(`Unsupported backup metadata version (${shown})`) as unknown,
      }),
    )
  })

  test.each([
    'x',
    '[]',
    '1',
    '{}',
    '{"version": 2, "volume-metadata": []}',
    '{"version": 1, "volume-base-metadata": null}',
  ])('refuses %s', (text) => {
    expect(() => restoredVolumeMetadata(text)).toThrow(expect.objectContaining({ code: 'METADATA_INVALID' }))
  })

  test('lets no key become a prototype', () => {
    const restored = restoredVolumeMetadata('{"version": 2, "volume-metadata": {"__proto__": {"admin": 1}}}')
    expect(restored?.volume['admin']).toBeUndefined()
    expect(Object.keys(restored?.volume ?? {})).toEqual(['__proto__'])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/format/manifest-reader.js'
import { renameManifest } from '../../src/format/manifest-names.js'

const container = 'c'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

async function textOf(body: { stream(): AsyncIterable<Uint8Array> }): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body.stream()) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces).toString()
}

async function renamed(text: string, from: string, to: string, parentPrefix?: string): Promise<string> {
  const bytes = Buffer.from(text)
  const manifest = await parseManifest(once(bytes), { container, objectName: `${from}_metadata` })
  const { body } = await renameManifest(bytes, manifest, from, { prefix: to, parentPrefix })
  const result = await textOf(body)
  expect(Buffer.byteLength(result)).toBe(body.lengthBytes)
  await parseManifest(once(Buffer.from(result)), { container, objectName: `${to}_metadata` })
  return result
}

/** A manifest as another program may write it: white space, key order, unknown keys, escapes and numbers of its own. */
const manifestText = (prefix: string): string => `{"version" : "1.0.0",
 "unknown": {"objects": [{"${prefix}-00001": 1}], "stowage_checksum": "no"},
\t"note": "\\"objects\\": [ {", "volume_size": 1.0e0,
 "backup_id": "b", "volume_id": "v", "backup_name": null, "backup_description": "\\u00e9\\\\",
 "created_at": "2026-01-01 00:00:00", "parent_id": null, "volume_meta": "{\\"a\\": [\\"${prefix}-00001\\"]}",
 "objects": [ {"${prefix}-00001": {"compression":"none","length": 512,"md5":"00000000000000000000000000000000","offset":0}},
   {"${prefix.replace('b', '\\u0062')}-00002": {"offset": 512, "length": 10, "md5": null, "compression": "zlib", "extra": ["${prefix}-00001"]}} ]
}
`

describe('renaming the objects in a manifest', () => {
  it('changes the names in the list of objects, and no other byte', async () => {
    const text = manifestText('volume_v_20260101000000_backup_b')
    const result = await renamed(
      text,
      'volume_v_20260101000000_backup_b',
      'volume_v/20260101000000/az_nova_backup_b',
    )
    const expected = text
      .replace(
        '[ {"volume_v_20260101000000_backup_b-00001"',
        '[ {"volume_v/20260101000000/az_nova_backup_b-00001"',
      )
      .replace(
        /\{"volume_v_20260101000000_\\u0062ackup_b-00002"/,
        '{"volume_v/20260101000000/az_nova_backup_b-00002"',
      )
    expect(expected).not.toBe(text)
    expect(result).toBe(expected)
  })

  it('leaves a text whose names stay the same as it is', async () => {
    const text = manifestText('volume_v_20260101000000_backup_b')
    expect(await renamed(text, 'volume_v_20260101000000_backup_b', 'volume_v_20260101000000_backup_b')).toBe(
      text,
    )
  })

  const prefixChars = fc.string({
    unit: fc.constantFrom('a', 'b', '_', '-', '/', '.', 'é', '日', '"', '\\', ' ', '\u{1f4be}'),
    maxLength: 12,
  })
  const prefix = prefixChars
    .map((text) => `p${text}q_b`)
    .filter((text) => !text.split('/').some((part) => ['', '.', '..'].includes(part)))
  const space = fc.constantFrom('', ' ', '\n  ', '\t')
  const key = fc.string({
    unit: fc.constantFrom('a', 'é', '"', '\\', '{', '}', '[', ']', ':', ','),
    maxLength: 8,
  })

  it('does so for any prefixes, white space and unknown keys, there and back', async () => {
    const property = fc.asyncProperty(
      prefix,
      prefix,
      fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 }),
      fc.integer({ min: 0, max: 6 }),
      space,
      fc.boolean(),
      async (from, to, extras, count, gap, escaped) => {
        const quoted = (text: string): string => {
          const plain = JSON.stringify(text)
          return escaped
            ? plain.replace(
                /[^\x20-\x7e]/g,
                (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
              )
            : plain
        }
        const textWith = (names: string): string => {
          const objects = Array.from({ length: count }, (_, index) => {
            const name = `${names}-${String(index + 1).padStart(5, '0')}`
            return `{${gap}${JSON.stringify(name).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}${gap}:${gap}{"compression":"none","length":512,"md5":null,"offset":${index * 512}}}`
          })
          const members = [
            // A known key would have another meaning.
            ...extras.map(([name, value]) => `${quoted(`x${name}`)}${gap}:${JSON.stringify(value)}`),
            '"version":"1.0.0","backup_id":"b","volume_id":"v","created_at":"2026-01-01 00:00:00"',
            `"objects"${gap}:${gap}[${objects.join(`${gap},`)}${gap}]`,
          ]
          return `{${gap}${members.join(`,${gap}`)}${gap}}`
        }
        const keys = extras.map(([name]) => name)
        fc.pre(new Set(keys).size === keys.length && !/\d{16,}|e[+-]?\d{2,}/.test(JSON.stringify(extras)))
        const there = await renamed(textWith(from), from, to)
        expect(there).toBe(textWith(to))
        expect(await renamed(there, to, from)).toBe(textWith(from))
      },
    )
    await fc.assert(property, { numRuns: 200 })
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseManifest } from '../../src/format/manifest-reader.js'
import { dataObjectName, manifestObjectName } from '../../src/format/object-names.js'
import { inPieces } from './pieces.js'

const prefix = 'volume_1/20260101000000/az_nova_backup_2'
const place = { container: 'volumebackups', objectName: manifestObjectName(prefix) }
const md5 = 'd41d8cd98f00b204e9800998ecf8427e'
const header = {
  version: '1.0.0',
  backup_id: '2',
  volume_id: '1',
  created_at: '2026-01-01 00:00:00+00:00',
  objects: 0,
}

test('reads the same objects, in the same order, from items in the form that Cinder writes and in any other', async () => {
  const form = fc.constantFrom('python', 'compact', 'other order', 'unknown key', 'escaped', 'no MD5')
  const objectsIn = (forms: readonly string[]): string =>
    forms.map((name, index) => itemText(name, index + 1)).join(',\n')
  await fc.assert(
    fc.asyncProperty(
      fc.array(form, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3000 }),
      async (forms, pieceBytes) => {
        const text = JSON.stringify(header).replace('"objects":0', `"objects":[${objectsIn(forms)}]`)
        expect((await parseManifest(inPieces(text, [pieceBytes]), place)).objects).toEqual(
          forms.map((name, index) => ({
            name: dataObjectName(prefix, index + 1),
            offsetBytes: index,
            lengthBytes: 1,
            compression: 'none',
            md5: name === 'no MD5' ? null : md5,
          })),
        )
      },
    ),
    { numRuns: 200 },
  )
})

/** The text of an item of `objects`, in one of the forms that JSON allows. */
function itemText(form: string, number: number): string {
  const fields = { compression: 'none', length: 1, md5, offset: number - 1 }
  const name = dataObjectName(prefix, number)
  switch (form) {
    case 'python':
      return JSON.stringify({ [name]: fields }, null, 2).replace(/^/gm, '    ')
    case 'other order':
      return JSON.stringify({ [name]: { offset: number - 1, md5, length: 1, compression: 'none' } })
    case 'unknown key':
      return JSON.stringify({ [name]: { ...fields, 'a "}': [{}, '\u00e9'] } })
    case 'escaped':
      return JSON.stringify({ [name]: fields }).replace('volume_', '\\u0076olume_')
    case 'no MD5':
      return JSON.stringify({ [name]: { ...fields, md5: null } })
    default:
      return JSON.stringify({ [name]: fields })
  }
}

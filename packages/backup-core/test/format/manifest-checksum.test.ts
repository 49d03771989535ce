import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isBackupError } from '../../src/errors/backup-error.js'
import { FORMAT_VERSION } from '../../src/format/json.js'
import { manifestBody } from '../../src/format/manifest-writer.js'
import { parseManifest } from '../../src/format/manifest-reader.js'
import type { Manifest } from '../../src/format/manifest.js'
import { dataObjectName, manifestObjectName } from '../../src/format/object-names.js'
import { collect, inPieces } from './pieces.js'

const prefix = 'volume_v_20260101000000_backup_b'
const place = { container: 'c', objectName: manifestObjectName(prefix) }

const manifest: Manifest = {
  version: FORMAT_VERSION,
  backupId: 'b',
  volumeId: 'v',
  backupName: 'n\u00e9 "quoted" \u{1f600}',
  backupDescription: null,
  createdAt: '2026-01-01 00:00:00+00:00',
  parentId: 'parent',
  volumeMeta: '{"version": 2}',
  extraMetadata: { b: [1, 2.5, { z: null, a: true }], a: '\x7f' },
  objects: [1, 2, 3].map((number) => ({
    name: dataObjectName(prefix, number),
    offsetBytes: (number - 1) * 65536,
    lengthBytes: 65536,
    compression: 'zlib',
    md5: createHash('md5').update(String(number)).digest('hex'),
  })),
  volumeSizeBytes: 3 * 65536,
  sizes: { chunkSizeBytes: 65536, blockSizeBytes: 4096, storedDataBytes: 1000, sha256fileBytes: 4000 },
  checksummed: true,
}

const parse = (text: string | Uint8Array): Promise<Manifest> => parseManifest(inPieces(text), place)

const written = async (metadata: Manifest): Promise<Buffer> =>
  collect((await manifestBody(metadata)).stream())

/** Whether a text is refused, which it must be where it says something else than was written. */
async function isRefused(text: Uint8Array, keepsChecksum: boolean): Promise<boolean> {
  try {
    const parsed = await parse(text)
    if (keepsChecksum || parsed.checksummed)
      expect(withoutChecksum(parsed)).toEqual(withoutChecksum(manifest))
    return false
  } catch (error) {
    if (isBackupError(error, 'METADATA_INVALID') || isBackupError(error, 'VERSION_UNSUPPORTED')) return true
    throw error
  }
}

/** A bit that is flipped in the key of the checksum leaves a text without one. */
function withoutChecksum(metadata: Manifest): Manifest {
  return { ...metadata, checksummed: false }
}

describe('the checksum of a manifest', () => {
  test('is the SHA-256 of the text without its own key, which stands where Python sorts it', async () => {
    const text = (await written(manifest)).toString('latin1')
    const without = (await written({ ...manifest, checksummed: false })).toString('latin1')
    const sum = createHash('sha256').update(without).digest('hex')
    expect(text).toBe(
      without.replace('  "stowage_chunk', () => `  "stowage_checksum": "sha256:${sum}",\n  "stowage_chunk`),
    )
    expect((await manifestBody(manifest)).lengthBytes).toBe(text.length)
  })

  test('does not depend on white space, the order of keys, or keys that are not known', async () => {
    const { objects, ...rest } = JSON.parse((await written(manifest)).toString()) as Record<string, unknown>
    const text = JSON.stringify({ volume_id: null, ...rest, unknown: [1], objects })
    expect(await parse(text)).toEqual(manifest)
  })

  test('is of the words in lower case, as a reader sees them', async () => {
    const objects = manifest.objects.map((object) => ({ ...object, compression: 'ZLIB' }))
    expect(await parse(await written({ ...manifest, objects }))).toEqual(manifest)
  })

  test('refuses a manifest with another value, and names both sums', async () => {
    const text = (await written(manifest)).toString().replace('"offset": 65536', '"offset": 65537')
    await expect(parse(text)).rejects.toMatchObject({
      code: 'METADATA_INVALID',
      message: expect.stringMatching(
        /its checksum is sha256:[0-9a-f]{64}, but `stowage_checksum` is sha256:[0-9a-f]{64}/,
      ) as string,
    })
  })

  test.each(['"sha256:00"', '"md5:d41d8cd98f00b204e9800998ecf8427e"', '7', '{}'])(
    'refuses a checksum that is %s',
    async (value) => {
      const text = (await written(manifest)).toString().replace(/"sha256:[0-9a-f]+"/, value)
      await expect(parse(text)).rejects.toThrow('stowage_checksum')
    },
  )

  test('lets no flipped bit through that changes a value', async () => {
    const text = await written(manifest)
    let refused = 0
    for (let bit = 0; bit < text.length * 8; bit += 5) {
      const damaged = Uint8Array.from(text)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      if (await isRefused(damaged, true)) refused += 1
    }
    expect(refused).toBeGreaterThan(0.95 * ((text.length * 8) / 5))
  })

  test('lets no other damage through that changes a value', async () => {
    const text = await written(manifest)
    const damage = fc.record({
      at: fc.nat(text.length - 1),
      remove: fc.nat(40),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
        let damaged: Buffer = text
        for (const { at, remove, insert } of damages) {
          damaged = Buffer.concat([damaged.subarray(0, at), insert, damaged.subarray(at + remove)])
        }
        // Only damage that takes the checksum's key with it can be more than that key.
        await isRefused(damaged, false)
      }),
      { numRuns: 1000 },
    )
  })
})

import fc from 'fast-check'
import { withoutOwnKeys } from '../cinder/metadata-text.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compressors } from '../vaults/compressors.js'
import { Harbour, sizes, type Cargo } from './harbour.js'
import { mixed, noise, patched, text } from './volumes.js'

// For the same input, names, clock and options, what Stowage writes is what Cinder writes. Compressed chunks are left
// out: two builds of one library may compress to different bytes, and what counts of those is that both restore.

let ours: Harbour
let theirs: Harbour
beforeAll(async () => {
  const harbours = await Promise.all([Harbour.open(), Harbour.open()])
  ours = harbours[0]
  theirs = harbours[1]
})
afterEach(() => Promise.all([ours.clear(), theirs.clear()]))
afterAll(async () => {
  await ours[Symbol.asyncDispose]()
  await theirs[Symbol.asyncDispose]()
})

const volumeId = '5a3eb17e-0000-4000-8000-000000000000'
const backupIds = Array.from({ length: 8 }, (_, index) => `b1000000-0000-4000-8000-00000000000${index}`)

type Step = Partial<Cargo> & { readonly volume: Uint8Array }

/** Makes a chain on both sides and compares all that the two directories hold. */
async function expectSameBytes(...steps: readonly Step[]): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const cargo: Cargo = {
      volumeId,
      backupId: backupIds[index] ?? '',
      parentId: index === 0 ? null : backupIds[index - 1],
      now: `2026-03-0${index + 1}T23:59:5${index}`,
      compression: 'none',
      ...sizes,
      ...step,
    }
    // With zlib among the decompressors, zeros are compressed where nothing else is.
    await ours.stow(cargo, { decompressors: [] })
    await theirs.cinderStows(cargo)
  }
  const [our, their] = await Promise.all([ours.files(), theirs.files()])
  expect([...our.keys()]).toEqual([...their.keys()])
  const isJson = (path: string): boolean => /_(metadata|sha256file)$/.test(path)
  expect([...their.keys()].filter(isJson)).toHaveLength(2 * steps.length)
  const raw = steps.every((step) => (step.compression ?? 'none') === 'none')
  for (const [path, bytes] of their) {
    if (isJson(path)) expect(withoutOwnKeys(our.get(path))).toBe(bytes.toString('latin1'))
    else if (raw) expect(our.get(path)?.equals(bytes)).toBe(true)
  }
}

const base = mixed('bytes', 200_000)

describe('a full backup is the same bytes', () => {
  test.each([0, 1, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 200_001])(
    'of a volume of %i bytes',
    async (size) => {
      await expectSameBytes({ volume: mixed('size', size) })
    },
  )

  test.each([
    ['accents', 'Sauvegarde d\u2019\u00e9t\u00e9'],
    ['characters past the first plane', '\u591c\u9593 \u{1f6a2}\u{1f4be} \u{10ffff}'],
    ['delete and the controls before and after it', '\x01\b\t\n\f\r\x1f \x7f\x80\x9f'],
    ['what JSON and HTML escape', '"\\/<>&\' \u2028\u2029\ufeff\ufffd'],
    ['nothing at all', ''],
  ])('with %s in its name and description', async (_what, value) => {
    await expectSameBytes({ volume: base, name: `n ${value}`, description: value })
  })

  test('with any name and description', async () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0')) // No argument of a program can hold a NUL.
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (name, description) => {
        await Promise.all([ours.clear(), theirs.clear()])
        await expectSameBytes({ volume: text('names', 5_000), name, description })
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    ['version 1', '{"version": 1, "volume-base-metadata": {"display_name": "\\u00e9", "size": 1}}'],
    ['version 2', '{"version": 2, "volume-metadata": {"a": "b"}, "volume-glance-metadata": {}}'],
    ['a layout of its own', ' {"volume-metadata" :{"n\u00f6":"\u{1f6a2}"},\n"version": 2}'],
  ])('with volume metadata of %s', async (_what, volumeMeta) => {
    await expectSameBytes({ volume: base, volumeMeta })
  })

  test.each(['flat', 'site/north/weekly'])('in the container %s', async (container) => {
    await expectSameBytes({ volume: base, container })
  })

  test.each([...compressors.keys()])(
    'with compression %s, its chunks as such left out',
    async (compression) => {
      const volume = Buffer.concat([text('squeezed', 65_536), noise('not squeezed', 65_536), text('end', 10)])
      await expectSameBytes({ volume, compression })
    },
  )
})

describe('an incremental backup is the same bytes', () => {
  test('when blocks here and there changed', async () => {
    const next = patched(
      base,
      [5_000, noise('a', 10)],
      [13_000, noise('b', 9_000)],
      [199_999, Buffer.from('z')],
    )
    await expectSameBytes({ volume: base }, { volume: next }, { volume: patched(next, [0, noise('c', 1)]) })
  })

  test('when a run of changes crosses from one chunk into the next', async () => {
    await expectSameBytes({ volume: base }, { volume: patched(base, [60_000, noise('over', 80_000)]) })
  })

  test('when nothing changed', async () => {
    await expectSameBytes({ volume: base }, { volume: base, name: 'idle' })
  })

  test('when everything changed', async () => {
    await expectSameBytes({ volume: base }, { volume: noise('other', base.length) })
  })

  test('when a region was zeroed', async () => {
    await expectSameBytes({ volume: base }, { volume: patched(base, [65_536, Buffer.alloc(65_536)]) })
  })

  test('when the volume shrank, whose size Cinder neither notes nor minds', async () => {
    await expectSameBytes({ volume: base }, { volume: base.subarray(0, 150_001) })
  })

  test('when the chunk size changed', async () => {
    const next = patched(base, [10_000, noise('next', 50_000)])
    await expectSameBytes({ volume: base }, { volume: next, chunkSizeBytes: 8_192 })
  })

  test('after any changes', async () => {
    const patch = fc.tuple(fc.integer({ min: 0, max: 149_999 }), fc.integer({ min: 1, max: 30_000 }))
    const steps = fc.array(fc.array(patch, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    const shapes = fc.constantFrom([4_096, 4_096], [65_536, 4_096], [20_480, 1_024], [262_144, 512])
    const start = mixed('any', 150_000)
    await fc.assert(
      fc.asyncProperty(steps, shapes, async (changes, [chunkSizeBytes = 0, blockSizeBytes = 0]) => {
        await Promise.all([ours.clear(), theirs.clear()])
        const states = [start]
        for (const [index, patches] of changes.entries()) {
          const bytes = patches.map(
            ([at, length]) => [at, noise(`p${index}`, Math.min(length, 150_000 - at))] as const,
          )
          states.push(patched(states.at(-1) ?? start, ...bytes))
        }
        await expectSameBytes(...states.map((volume) => ({ volume, chunkSizeBytes, blockSizeBytes })))
      }),
      { numRuns: 25 },
    )
  })
})

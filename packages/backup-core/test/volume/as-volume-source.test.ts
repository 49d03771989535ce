import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import type { BackupSource } from '../../src/contracts/volume.js'
import { expectThrown, pattern, readAll } from './support.js'
import { asVolumeSource } from '../../src/volume/as-volume-source.js'

async function* generate(): AsyncGenerator<Uint8Array> {
  yield pattern(100)
}

const kinds: [string, () => BackupSource, number | undefined][] = [
  ['a Buffer', () => pattern(100), 100],
  ['a Uint8Array', () => Uint8Array.from(pattern(100)), 100],
  ['a Readable', () => Readable.from([pattern(100)]), undefined],
  [
    'a web ReadableStream',
    () => Readable.toWeb(Readable.from([pattern(100)])) as ReadableStream<Uint8Array>,
    undefined,
  ],
  ['an AsyncIterable', generate, undefined],
  [
    'a random-access source',
    () => ({ size: 100, read: async (offset, length) => pattern(100).subarray(offset, offset + length) }),
    100,
  ],
]

describe('asVolumeSource', () => {
  it.each(kinds)('takes %s', async (_, make, sizeBytes) => {
    const source = await asVolumeSource(make()).openSource()
    expect(source.sizeBytes).toBe(sizeBytes)
    expect(await readAll(source)).toEqual(pattern(100))
    await source.close()
  })

  it('returns a volume as it is', () => {
    const volume = fileVolume('disk.img')
    expect(asVolumeSource(volume)).toBe(volume)
  })

  it('refuses anything else with the accepted and the actual type', async () => {
    const refused: [unknown, string][] = [
      ['disk.img', 'use fileVolume(path)'],
      [new URL('file:///disk.img'), 'fileURLToPath'],
      [new ArrayBuffer(4), 'Wrap it'],
      [new Uint16Array(4), 'Wrap it'],
      [new Blob(['x']), 'blob.stream()'],
      [undefined, 'not undefined'],
      [null, 'not null'],
      [42, 'not a number'],
      [() => undefined, 'not a function'],
      [{}, 'not an object'],
      [[pattern(4)], 'not an object (Array)'],
      [{ read: () => undefined }, 'not an object'],
    ]
    for (const [value, hint] of refused) {
      const error = await expectThrown(() => asVolumeSource(value as BackupSource), 'OPTION_INVALID')
      expect(error.message).toContain('A source must be a volume')
      expect(error.message).toContain(hint)
    }
  })

  it('does not repeat the content of what it refuses', async () => {
    const error = await expectThrown(
      () => asVolumeSource('hunter2' as unknown as BackupSource),
      'OPTION_INVALID',
    )
    expect(error.message).not.toContain('hunter2')
  })
})

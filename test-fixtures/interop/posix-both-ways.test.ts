import fc from 'fast-check'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CinderFailure } from '../cinder/cinder-peer.js'
import { compressors } from '../vaults/compressors.js'
import { Harbour, sizes, type Cargo } from './harbour.js'
import { mixed, noise, patched, text } from './volumes.js'

let harbour: Harbour
beforeAll(async () => {
  harbour = await Harbour.open()
})
afterEach(() => harbour.clear())
afterAll(() => harbour[Symbol.asyncDispose]())

const cargo = (volume: Uint8Array, more: Partial<Cargo> = {}): Cargo => ({
  volume,
  volumeId: 'd15c0000-0000-4000-8000-000000000000',
  backupId: randomUUID(),
  compression: 'zlib',
  ...sizes,
  ...more,
})

const first = mixed('first', 300_000)
const second = patched(first, [1, text('second', 70_000)], [200_000, Buffer.alloc(30_000)])
const third = patched(second, [65_530, noise('third', 12)], [299_999, Buffer.from('!')])

describe.each(['none', ...compressors.keys()])('with compression %s', (compression) => {
  test('a chain that Stowage wrote restores in Cinder, every state of it', async () => {
    const full = cargo(first, { compression })
    const next = cargo(second, { compression, parentId: full.backupId })
    const last = cargo(third, { compression, parentId: next.backupId })
    for (const one of [full, next, last]) await harbour.stow(one)
    for (const one of [full, next, last]) {
      expect(await harbour.cinderRestored(one.backupId)).toEqual(Buffer.from(one.volume))
    }
  })

  test('a chain that Cinder wrote restores in Stowage, and passes verification', async () => {
    const full = cargo(first, { compression })
    const next = cargo(second, { compression, parentId: full.backupId })
    const last = cargo(third, { compression, parentId: next.backupId })
    for (const one of [full, next, last]) await harbour.cinderStows(one)
    await using driver = harbour.driver()
    for (const one of [full, next, last]) {
      expect(Buffer.from(await harbour.restored(one.backupId))).toEqual(Buffer.from(one.volume))
      await expect(driver.verify(one.backupId, { level: 'full' })).resolves.toMatchObject({ level: 'full' })
    }
  })
})

test('any chain that both wrote by turns restores in both, to every state', async () => {
  const change = fc.record({
    byCinder: fc.boolean(),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 0, max: 60_000 }),
    kind: fc.constantFrom('text', 'noise', 'zeros', 'shrink', 'grow'),
    compression: fc.constantFrom('none', ...compressors.keys()),
  })
  // A block that is short because the volume shrank, and then an incremental that has no objects to tell it.
  const idle = { byCinder: true, at: 0, length: 0, kind: 'text', compression: 'none' } as const
  const shrunkThenIdle = [
    idle,
    { ...idle, length: 1, kind: 'shrink' as const },
    idle,
    { ...idle, byCinder: false },
  ]
  const shapes = fc.constantFrom([4_096, 4_096], [65_536, 4_096], [20_480, 1_024], [262_144, 512])
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 150_000 }),
      shapes,
      async (changes, size, [chunkSizeBytes = 0, blockSizeBytes = 0]) => {
        await harbour.clear()
        let volume = mixed('start', size)
        let parentId: string | null = null
        const written: Cargo[] = []
        for (const [index, { byCinder, at, length, kind, compression }] of changes.entries()) {
          if (index > 0) volume = changed(volume, kind, at, length, `change-${index}`)
          const one = cargo(volume, { compression, chunkSizeBytes, blockSizeBytes, parentId })
          // Cinder has no way to add to a backup of a volume that was shorter.
          const grew = volume.length > (written.at(-1)?.volume.length ?? Infinity)
          if (byCinder && !grew) await harbour.cinderStows(one)
          else await harbour.stow(one)
          written.push(one)
          parentId = one.backupId
        }
        for (const { backupId, volume: state } of written) {
          expect(Buffer.from(await harbour.restored(backupId)).equals(state)).toBe(true)
          const byCinder = await harbour.cinderRestored(backupId)
          expect(byCinder.subarray(0, state.length).equals(state)).toBe(true)
        }
      },
    ),
    { numRuns: 25, examples: [[shrunkThenIdle, 2, [4_096, 4_096]]] },
  )
})

test('each deletes what the other wrote, to the last object', async () => {
  const full = cargo(first)
  await harbour.stow(full)
  await harbour.peer.delete(full.backupId)
  expect([...(await harbour.files()).keys()]).toEqual([])

  const other = cargo(first)
  await harbour.cinderStows(other)
  await using driver = harbour.driver()
  await driver.deleteBackup(other.backupId)
  expect([...(await harbour.files()).keys()]).toEqual([])
})

test('Cinder ignores the mark of a store, and leaves it as it is (point 3)', async () => {
  const before = await harbour.mark()
  const full = cargo(first)
  await harbour.cinderStows(full)
  const next = cargo(second, { parentId: full.backupId })
  await harbour.stow(next)
  expect((await harbour.cinderRestored(full.backupId)).equals(first)).toBe(true)
  expect((await harbour.cinderRestored(next.backupId)).equals(second)).toBe(true)
  await harbour.peer.delete(next.backupId)
  await harbour.peer.delete(full.backupId)
  expect(await harbour.mark()).toBe(before)
  await using driver = harbour.driver()
  expect(await driver.listBackups()).toEqual([])
})

test('in strict mode Stowage refuses another block size in the words of Cinder', async () => {
  const full = cargo(first)
  await harbour.cinderStows(full)
  const other = cargo(second, { parentId: full.backupId, blockSizeBytes: 8_192 })
  const refusal: unknown = await harbour.cinderStows(other).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(CinderFailure)
  const words = (refusal as CinderFailure).message.replace(/^.*?Invalid backup: /, '')
  expect(words).toContain('Hash block size has changed')

  await using driver = harbour.driver({ strict: 'cinder', blockSizeBytes: 8_192 })
  const ours = driver.backup({ volumeId: other.volumeId, parent: full.backupId }, other.volume)
  await expect(ours).rejects.toMatchObject({
    code: 'BLOCK_SIZE_CHANGED',
    message: expect.stringContaining(words) as string,
  })
})

function changed(volume: Buffer, kind: string, at: number, length: number, seed: string): Buffer {
  if (kind === 'grow') return Buffer.concat([volume, mixed(seed, length)])
  if (kind === 'shrink') return volume.subarray(0, Math.max(1, volume.length - length))
  const offset = Math.floor(at * volume.length)
  const room = Math.min(length, volume.length - offset)
  const bytes = kind === 'text' ? text(seed, room) : kind === 'noise' ? noise(seed, room) : Buffer.alloc(room)
  return patched(volume, [offset, bytes])
}

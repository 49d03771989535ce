import { copyBackup } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestCloud } from '../test-cloud/index.js'
import { swiftOf } from '../test/swift-of-tests.js'
import { compressors } from '../vaults/compressors.js'
import { Harbour, sizes, type Cargo } from './harbour.js'
import { mixed, noise, patched, text } from './volumes.js'

let original: Harbour
let copy: Harbour
let cloud: TestCloud
beforeAll(async () => {
  original = await Harbour.open()
  copy = await Harbour.open()
  cloud = await TestCloud.start()
})
afterEach(async () => {
  await original.clear()
  await copy.clear()
})
afterAll(async () => {
  await original[Symbol.asyncDispose]()
  await copy[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
})

const first = mixed('first', 300_000)
const second = patched(first, [1, text('second', 70_000)], [200_000, Buffer.alloc(30_000)])
const third = patched(second, [65_530, noise('third', 12)], [299_999, Buffer.from('!')])

/** A chain of three backups, of which the last one is Stowage's. */
function chainOf(compression: string): readonly Cargo[] {
  const volumeId = randomUUID()
  const common = { volumeId, compression, ...sizes }
  const full = { ...common, volume: first, backupId: randomUUID() }
  const next = { ...common, volume: second, backupId: randomUUID(), parentId: full.backupId }
  return [full, next, { ...common, volume: third, backupId: randomUUID(), parentId: next.backupId }]
}

test.each(['none', ...compressors.keys()])(
  'a chain with compression %s, copied between directories and by way of Swift, restores in Cinder',
  async (compression) => {
    const chain = chainOf(compression)
    const [full, next, last] = chain as [Cargo, Cargo, Cargo]
    await original.cinderStows(full)
    await original.cinderStows(next)
    await original.stow(last)
    await using from = original.driver()
    for (const middle of [
      undefined,
      swiftOf(cloud, `copies-${compression}`, { decompressors: [...compressors.values()] }),
    ]) {
      await copy.clear()
      await using to = copy.driver()
      if (middle) await copyBackup(from, middle, last.backupId)
      const { backups } = await copyBackup(middle ?? from, to, last.backupId)
      await middle?.close()
      expect(backups.map(({ record, outcome }) => [record.id, outcome])).toEqual(
        chain.map(({ backupId }) => [backupId, 'copied']),
      )
      // What Cinder wrote and what Stowage wrote, byte for byte, in the same places.
      expect(await copy.files()).toEqual(await original.files())
      for (const one of chain) {
        const { container, prefix } = await to.getBackup(one.backupId)
        await copy.peer.adopt({ ...one, container }, prefix)
        expect(Buffer.compare(await copy.cinderRestored(one.backupId), one.volume)).toBe(0)
        expect(Buffer.compare(await copy.restored(one.backupId), one.volume)).toBe(0)
      }
    }
  },
)

test('Cinder makes an incremental on a copy, and Stowage copies it back', async () => {
  const [full, next] = chainOf('zlib') as [Cargo, Cargo]
  await original.cinderStows(full)
  await using from = original.driver()
  await using to = copy.driver()
  await copyBackup(from, to, full.backupId)
  const { container, prefix } = await to.getBackup(full.backupId)
  await copy.peer.adopt({ ...full, container }, prefix)
  await copy.cinderStows(next)
  await copyBackup(to, from, next.backupId)
  expect(Buffer.compare(await original.restored(next.backupId), next.volume)).toBe(0)
  expect(await original.files()).toEqual(await copy.files())
})

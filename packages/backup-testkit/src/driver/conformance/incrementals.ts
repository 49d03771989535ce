import type { BackupRecord } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { noise, patched } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { sameBytes } from './expectations.js'
import { blockSizeBytes, chunkSizeBytes } from './fixture.js'
import { MemoryTarget } from './memory-target.js'
import type { Area } from './suite.js'

const sizeBytes = 6 * chunkSizeBytes + 300

/** What may happen to a volume between two backups. */
const changes: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'stayed as it was': (bytes) => bytes,
  'changed in one byte': (bytes) => patched(bytes, 5000, Uint8Array.of(255)),
  'changed at both ends': (bytes) => patched(patched(bytes, 0, noise(10, 2)), sizeBytes - 5, noise(5, 3)),
  'changed across two chunks': (bytes) => patched(bytes, chunkSizeBytes - 100, noise(200, 2)),
  'was zeroed in a part': (bytes) => patched(bytes, chunkSizeBytes, new Uint8Array(2 * chunkSizeBytes)),
  'was zeroed': (bytes) => new Uint8Array(bytes.byteLength),
  grew: (bytes) => patched(bytes, sizeBytes, noise(chunkSizeBytes + 10, 2)),
  'grew by zeros': (bytes) => patched(bytes, sizeBytes, new Uint8Array(3000)),
  shrank: (bytes) => bytes.slice(0, 2 * chunkSizeBytes + 5),
}

/** Incremental backups: every state of the chain can be restored. */
export const incrementals: Area = (test) => {
  for (const [what, change] of Object.entries(changes)) {
    test(`an incremental of a volume that ${what} is restored as it was, and its parent too`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const before = noise(sizeBytes)
      const after = change(before)
      const full = await volume.backup(before)
      const incremental = await volume.backup(after, { parent: full, allowShrink: true })
      assert.equal(incremental.parentId, full.id)
      sameBytes(await volume.restore(incremental), after, 'the bytes of the incremental')
      sameBytes(await volume.restore(full), before, 'the bytes of its parent')
    })
  }

  test('an incremental stores the blocks that changed, and no more', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const full = await volume.backup(noise(sizeBytes))
    const incremental = await volume.backup(patched(noise(sizeBytes), 3 * blockSizeBytes, noise(10, 2)), {
      parent: full,
    })
    assert.equal(incremental.objectCount, 1)
    const place = await volume.placeOf(incremental)
    assert.equal((await place.get(place.chunk(1))).byteLength, blockSizeBytes)
  })

  test('an incremental of an unchanged volume stores no chunk', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const full = await volume.backup(noise(sizeBytes))
    const incremental = await volume.backup(noise(sizeBytes), { parent: full })
    assert.equal(incremental.objectCount, 0)
  })

  test('a chain of incrementals restores each of its states, in a new target and over garbage', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const states: { readonly bytes: Uint8Array; readonly record: BackupRecord }[] = []
    for (let n = 0; n < 5; n++) {
      const previous = states.at(-1)
      const bytes = previous ? patched(previous.bytes, n * 3000, noise(2500, n)) : noise(sizeBytes)
      const record = await volume.backup(bytes, { parent: previous?.record ?? null })
      states.push({ bytes, record })
    }
    for (const { bytes, record } of states) {
      sameBytes(await volume.restore(record), bytes)
      const target = new MemoryTarget(noise(bytes.byteLength, 99))
      await fixture.driver.restore(record, target, { overwrite: true })
      sameBytes(target.bytes, bytes)
    }
  })

  test('an incremental made by another driver finds its parent in the store', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const full = await volume.backup(noise(sizeBytes))
    const other = await fixture.open()
    const request = { volumeId: volume.volumeId, container: volume.container, parent: full }
    const bytes = patched(noise(sizeBytes), 100, noise(100, 2))
    const incremental = await other.backup(request, bytes)
    assert.equal(incremental.objectCount, 1)
    sameBytes(await volume.restore(incremental), bytes)
  })
}

import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { noise, patched } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { rejectsWith, sameBytes } from './expectations.js'
import { chunkSizeBytes } from './fixture.js'
import { MemoryTarget } from './memory-target.js'
import type { Place } from './place.js'
import type { Area } from './suite.js'

const sizeBytes = 5 * chunkSizeBytes

type Damage = (bytes: Uint8Array) => Uint8Array

const damages: Readonly<Record<string, Damage>> = {
  'has one other byte': (bytes) => patched(bytes, 17, Uint8Array.of(~(bytes[17] ?? 0))),
  'is too short': (bytes) => bytes.subarray(0, 100),
  'is too long': (bytes) => patched(bytes, bytes.byteLength, noise(1)),
  'is empty': () => new Uint8Array(),
}

/** Restores in part, damaged backups, and verify. */
export const restores: Area = (test) => {
  test('a range is restored at its offset, and the rest of the target stays as it is', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes))
    const target = new MemoryTarget(noise(sizeBytes, 2))
    const range = { offsetBytes: 3000, lengthBytes: 7000 }
    await fixture.driver.restore(record, target, { range, overwrite: true })
    sameBytes(target.bytes, patched(noise(sizeBytes, 2), 3000, noise(sizeBytes).slice(3000, 10_000)))
  })

  test('a target that is too small is refused before anything is written', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes))
    const target = new MemoryTarget(noise(sizeBytes - 1, 2))
    await rejectsWith('TARGET_TOO_SMALL', fixture.driver.restore(record, target, { overwrite: true }))
    sameBytes(target.bytes, noise(sizeBytes - 1, 2))
  })

  test('restore rejects with OBJECT_MISSING when an object is missing', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes))
    const place = await volume.placeOf(record)
    await place.delete(place.chunk(2))
    await rejectsWith('OBJECT_MISSING', volume.restore(record))
  })

  for (const [what, damage] of Object.entries(damages)) {
    test(`restore rejects with OBJECT_CORRUPT when an object ${what}`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const record = await volume.backup(noise(sizeBytes))
      await damageChunk(await volume.placeOf(record), damage)
      await rejectsWith('OBJECT_CORRUPT', volume.restore(record))
    })

    test(`a full verification fails when an object ${what}, and names it`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const record = await volume.backup(noise(sizeBytes))
      const place = await volume.placeOf(record)
      await damageChunk(place, damage)
      const error = await rejectsWith('VERIFY_FAILED', fixture.driver.verify(record, { level: 'full' }))
      assert.ok(error.details.problems?.some(({ objectName }) => objectName === place.chunk(2)))
    })
  }

  for (const level of ['quick', 'full'] as const) {
    test(`a ${level} verification passes on a chain that is whole`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const full = await volume.backup(noise(sizeBytes))
      const incremental = await volume.backup(patched(noise(sizeBytes), 5000, noise(10, 2)), { parent: full })
      const { chain } = await fixture.driver.verify(incremental, { level })
      assert.deepEqual(chain, [incremental.id, full.id])
    })

    test(`a ${level} verification fails when an object of the parent is not there, and names it`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const full = await volume.backup(noise(sizeBytes))
      const incremental = await volume.backup(patched(noise(sizeBytes), 100, noise(10, 2)), { parent: full })
      const place = await volume.placeOf(full)
      await place.delete(place.chunk(4))
      const error = await rejectsWith('VERIFY_FAILED', fixture.driver.verify(incremental, { level }))
      assert.ok(error.details.problems?.some(({ objectName }) => objectName === place.chunk(4)))
    })
  }

  test('damaged metadata is METADATA_INVALID, and affects no other backup', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes))
    const place = await volume.placeOf(record)
    await place.put(`${place.prefix}_metadata`, Buffer.from('{"version": "1.0.0", "objects": [{'))
    const target = new MemoryTarget()
    const failure = fixture.driver.restore(record, target)
    await assert.rejects(failure, (error) => isBackupError(error, 'METADATA_INVALID'))
    assert.equal(target.bytes.byteLength, 0)
    assert.ok(await place.exists(place.chunk(1)))
  })
}

async function damageChunk(place: Place, damage: Damage): Promise<void> {
  await place.put(place.chunk(2), damage(await place.get(place.chunk(2))))
}

import assert from 'node:assert/strict'
import type { BackupRecord, BackupResult } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { noise, patched } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { rejectsWith, sameBytes } from './expectations.js'
import type { Area } from './suite.js'

const sizeBytes = 12_000

/** listBackups, getBackup, deleteBackup, exportRecord and importRecord. */
export const catalogs: Area = (test) => {
  test(
    'listBackups finds the backups of a volume from the store alone, parents first',
    async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const full = await volume.backup(noise(sizeBytes))
      const incremental = await volume.backup(noise(sizeBytes, 2), { parent: full })
      const { volumeId, container } = volume
      const found = await (await fixture.open()).listBackups({ volumeId, container })
      assert.deepEqual(found, [recordOf(full), recordOf(incremental)])
    },
    'promptListing',
  )

  test(
    'listBackups finds a backup in a container that no option names',
    async (fixture) => {
      const volume = new VolumeBackups(fixture, fixture.driver, fixture.containerName())
      const record = await volume.backup(noise(sizeBytes))
      const found = await (await fixture.open()).listBackups({ volumeId: volume.volumeId })
      assert.deepEqual(found, [recordOf(record)])
    },
    'containerListing',
  )

  test(
    'getBackup finds a backup by its id',
    async (fixture) => {
      const record = await new VolumeBackups(fixture).backup(noise(sizeBytes))
      assert.deepEqual(await (await fixture.open()).getBackup(record.id), recordOf(record))
    },
    'promptListing',
  )

  test('getBackup rejects with BACKUP_NOT_FOUND for an unknown id', async (fixture) => {
    await rejectsWith('BACKUP_NOT_FOUND', fixture.driver.getBackup(randomUUID()))
  })

  test('deleteBackup leaves no object of the backup', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes))
    const place = await volume.placeOf(record)
    await fixture.driver.deleteBackup(record)
    for (const name of [place.chunk(1), place.chunk(2), place.chunk(3), `${place.prefix}_sha256file`]) {
      assert.equal(await place.exists(name), false, `${name} is left`)
    }
    assert.equal(await place.exists(`${place.prefix}_metadata`), false)
  })

  test(
    'deleteBackup also removes objects that the metadata does not name',
    async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const record = await volume.backup(noise(sizeBytes))
      const place = await volume.placeOf(record)
      await place.put(place.chunk(77), noise(10))
      await fixture.driver.deleteBackup(record)
      assert.deepEqual(await place.list(), [])
    },
    'promptListing',
  )

  test('deleteBackup leaves the other backups of the volume whole', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const one = await volume.backup(noise(sizeBytes, 1))
    const two = await volume.backup(noise(sizeBytes, 2))
    await fixture.driver.deleteBackup(one)
    sameBytes(await volume.restore(two), noise(sizeBytes, 2))
  })

  test(
    'deleteBackup refuses a backup that an incremental depends on, and both stay whole',
    async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const full = await volume.backup(noise(sizeBytes))
      const after = patched(noise(sizeBytes), 100, noise(100, 2))
      const incremental = await volume.backup(after, { parent: full })
      await rejectsWith('HAS_DEPENDENTS', fixture.driver.deleteBackup(full))
      sameBytes(await volume.restore(incremental), after)
    },
    'promptListing',
  )

  test(
    'deleteBackup with its descendants deletes the chain, newest first',
    async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const full = await volume.backup(noise(sizeBytes))
      const incremental = await volume.backup(noise(sizeBytes, 2), { parent: full })
      const { deleted } = await fixture.driver.deleteBackup(full, { withDescendants: true })
      assert.deepEqual(deleted, [incremental.id, full.id])
      assert.deepEqual(await (await volume.placeOf(full)).list(), [])
      assert.deepEqual(await (await volume.placeOf(incremental)).list(), [])
    },
    'promptListing',
  )

  test('an exported record is imported by another driver, and restores', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(sizeBytes), { name: 'größe' })
    const exported = await fixture.driver.exportRecord(record)
    const imported = await (await fixture.open()).importRecord(exported)
    assert.deepEqual(
      [imported.id, imported.container, imported.prefix, imported.name],
      [record.id, record.container, record.prefix, record.name],
    )
    sameBytes(await volume.restore(imported), noise(sizeBytes))
  })
}

/** A backup's record: the result without the sum of what it stored. */
function recordOf(result: BackupResult): BackupRecord {
  const { storedBytes, ...record } = result
  assert.equal(
    storedBytes,
    result.storedDataBytes + result.storedMetadataBytes,
    'stored bytes are data and metadata',
  )
  return record
}

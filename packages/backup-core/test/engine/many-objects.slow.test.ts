import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { bufferVolume, type BackupRecord } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { manifestBody } from '../../src/format/manifest-writer.js'
import type { StoredObject } from '../../src/format/manifest.js'
import { dataObjectName, manifestObjectName, sha256fileObjectName } from '../../src/format/object-names.js'

const container = 'volumebackups'
const prefix = 'volume_volume/20260101000000/az_nova_backup_many'
const count = 100_012

/** A backup of more objects than five digits number, as Cinder leaves one: from there on, names sort out of order. */
async function manyObjects(): Promise<{
  driver: MemoryBackupDriver
  bytes: Uint8Array
  record: BackupRecord
}> {
  const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 512, concurrency: 8 })
  const bytes = Uint8Array.from({ length: count }, (_, index) => index % 251)
  const md5s = Array.from({ length: 251 }, (_, value) =>
    createHash('md5').update(Uint8Array.of(value)).digest('hex'),
  )
  driver.store.createContainer(container)
  const objects = Array.from(bytes, (byte, index): StoredObject => {
    const name = dataObjectName(prefix, index + 1)
    driver.store.set(container, name, Uint8Array.of(byte))
    return { name, offsetBytes: index, lengthBytes: 1, compression: 'none', md5: md5s[byte]! }
  })
  const body = await manifestBody({
    version: '1.0.0',
    backupId: 'many',
    volumeId: 'volume',
    backupName: null,
    backupDescription: null,
    createdAt: '2026-01-01 00:00:00+00:00',
    parentId: null,
    volumeMeta: null,
    extraMetadata: null,
    objects,
    volumeSizeBytes: null,
    checksummed: false,
  })
  const pieces: Uint8Array[] = []
  for await (const piece of body.stream()) pieces.push(Uint8Array.from(piece))
  driver.store.set(container, manifestObjectName(prefix), Buffer.concat(pieces))
  driver.store.set(container, sha256fileObjectName(prefix), new Uint8Array(0))
  return { driver, bytes, record: await driver.getBackup('many') }
}

it('restores and checks a backup of more than 99,999 objects in the order of its list, not of its names', async () => {
  const { driver, bytes, record } = await manyObjects()
  expect(record).toMatchObject({ objectCount: count, sizeBytes: count })
  expect(await driver.verify(record)).toMatchObject({ objectsChecked: count })
  const target = bufferVolume()
  await driver.restore(record, target)
  expect(Buffer.compare(target.bytes, bytes)).toBe(0)
}, 120_000)

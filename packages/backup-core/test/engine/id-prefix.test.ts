import { describe, expect, it } from 'vitest'
import type { NewBackup } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'

const id = (number: number): string => `${String(number).padStart(8, '0')}-0000-4000-8000-00000000abcd`
const clock = (): Date => new Date('2026-01-01T00:00:00Z')

async function storeOf(count: number, Driver = MemoryBackupDriver): Promise<FaultyBackupDriver> {
  const driver = new Driver({ store: new MemoryStore(), clock })
  for (let number = 0; number < count; number += 1) {
    await driver.backup({ volumeId: `volume-${number}`, backupId: id(number) }, Buffer.from('x'))
  }
  return new FaultyBackupDriver(driver)
}

describe('a list of the backups whose id begins so', () => {
  const ids = async (driver: FaultyBackupDriver, idPrefix: string): Promise<string[]> =>
    (await driver.listBackups({ idPrefix })).map((record) => record.id)

  it('reads the manifests of those backups alone, by the names in the store', async () => {
    const driver = await storeOf(30)
    expect(await ids(driver, '0000001')).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map(id))
    expect(driver.count('getObjectReader')).toBe(10)
  })

  it('reads no manifest for what the names have elsewhere: the time, the volume, the end of an id', async () => {
    const driver = await storeOf(30)
    for (const idPrefix of ['2026', 'volume', 'abcd', 'nosuch'])
      expect(await ids(driver, idPrefix)).toEqual([])
    expect(driver.count('getObjectReader')).toBe(0)
  })

  it('finds them where the prefixes of the driver have the id in another place', async () => {
    class OtherNames extends MemoryBackupDriver {
      override generateObjectNamePrefix({ id, volumeId }: NewBackup): string {
        return `${id}/of/${volumeId}`
      }
    }
    const driver = await storeOf(20, OtherNames)
    expect(await ids(driver, '0000001')).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map(id))
  })

  it('gives an incremental the size that its parents say', async () => {
    const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 1024 })
    await driver.backup({ volumeId: 'v', backupId: 'full' }, Buffer.alloc(4096, 1))
    const first = Buffer.concat([Buffer.alloc(512, 2), Buffer.alloc(3584, 1)])
    const next = await driver.backup({ volumeId: 'v', backupId: 'next', parent: 'full' }, first)
    // As Cinder writes it: the size is that of the parent.
    const name = `${next.prefix}_metadata`
    const manifest = JSON.parse(Buffer.from(driver.store.get(next.container, name)!).toString()) as Record<
      string,
      unknown
    >
    const cinders = Object.entries(manifest).filter(([key]) => !/^(stowage_|volume_size_bytes)/.test(key))
    driver.store.set(next.container, name, Buffer.from(JSON.stringify(Object.fromEntries(cinders))))
    const [record] = await driver.listBackups({ idPrefix: 'ne' })
    expect(record).toEqual(await driver.getBackup('next'))
    expect(record).toMatchObject({ sizeBytes: 4096 })
  })

  it('refuses an empty beginning, which every id has', async () => {
    await expect(new MemoryBackupDriver().listBackups({ idPrefix: '' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })
})

describe('the search of a backup by a whole id', () => {
  it('reads no manifest for an id that is a part of names elsewhere', async () => {
    const driver = await storeOf(20)
    await expect(driver.getBackup('2026')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' })
    expect(driver.count('getObjectReader')).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { bufferVolume, type BackupRecord } from '@stowage/backup-core'
import { fault, FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededBytes, withoutChecksum } from './volumes.js'

const container = 'volumebackups'

/** A driver with backups of one volume, of which those at `fulls` are full and the others incrementals on the one before. */
async function makeBackups(
  count: number,
  fulls: readonly number[],
  containerOf: (index: number) => string = () => container,
): Promise<{
  driver: MemoryBackupDriver
  newest: BackupRecord
  volume: Uint8Array
  records: BackupRecord[]
}> {
  let minutes = 0
  const clock = (): Date => new Date(Date.UTC(2026, 0, 1, 0, minutes++))
  const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 1024, clock })
  const volume = seededBytes(4096)
  const records: BackupRecord[] = []
  for (let index = 0; index < count; index += 1) {
    volume[index * 97]! ^= 0xff
    const parent = fulls.includes(index) ? null : records.at(-1)!
    const request = { volumeId: 'volume', backupId: `b${index}`, container: containerOf(index), parent }
    records.push(await driver.backup(request, volume))
  }
  return { driver, newest: records.at(-1)!, volume, records }
}

/** As Cinder writes a manifest, which does not name the ancestors, or where the parent is. */
function asOfCinder(driver: MemoryBackupDriver, records: readonly BackupRecord[]): void {
  for (const { prefix } of records) {
    const name = `${prefix}_metadata`
    const text = withoutChecksum(driver.store.get(container, name)!)
    const theirs = Object.entries(JSON.parse(text) as Record<string, unknown>).filter(
      ([key]) => !key.startsWith('stowage_') && key !== 'volume_size_bytes',
    )
    driver.store.set(container, name, Buffer.from(JSON.stringify(Object.fromEntries(theirs))))
  }
}

/** Restores, and returns how many manifests were read, and how many of them at the same time. */
async function restoreSlowly(
  driver: MemoryBackupDriver,
  faulty: FaultyBackupDriver,
  newest: BackupRecord,
): Promise<{ restored: Uint8Array; reads: string[]; maxAtOnce: number }> {
  const reads: string[] = []
  let open = 0
  let maxAtOnce = 0
  faulty.addFault(
    fault.run('getObjectReader', {
      object: /_metadata$/,
      run: async ({ container: where = '', objectName = '' }) => {
        // A parent is first looked for beside its child.
        if (driver.store.get(where, objectName)) reads.push(objectName)
        maxAtOnce = Math.max(maxAtOnce, ++open)
        await sleep(5)
        open -= 1
      },
    }),
  )
  const target = bufferVolume()
  await faulty.restore(newest, target)
  return { restored: target.bytes, reads, maxAtOnce }
}

describe('the manifests of a chain', () => {
  it.each([
    ['that name their ancestors', false],
    ['of Cinder, which name only the parent', true],
  ])('%s are read several at a time, each once', async (_, ofCinder) => {
    const { driver, newest, volume, records } = await makeBackups(20, [0])
    if (ofCinder) asOfCinder(driver, records)
    const { restored, reads, maxAtOnce } = await restoreSlowly(driver, new FaultyBackupDriver(driver), newest)
    expect(Buffer.compare(restored, volume)).toBe(0)
    expect(maxAtOnce).toBeGreaterThanOrEqual(4)
    expect([...reads].sort()).toEqual(records.map(({ prefix }) => `${prefix}_metadata`).sort())
  })

  it('are read although a backup that was taken for an ancestor cannot be read', async () => {
    const { driver, newest, volume, records } = await makeBackups(9, [0, 1])
    asOfCinder(driver, records)
    const faulty = new FaultyBackupDriver(driver)
    const guessed = `${records[0]!.prefix}_metadata`
    faulty.addFault(fault.fail('getObjectReader', { object: guessed }))
    const { restored, reads } = await restoreSlowly(driver, faulty, newest)
    expect(Buffer.compare(restored, volume)).toBe(0)
    expect(reads).not.toContain(guessed)
    expect(faulty.count('getObjectReader', guessed)).toBe(1)
  })

  it('are not read ahead any further where the store fails', async () => {
    const { driver, newest, records } = await makeBackups(60, [0])
    const faulty = new FaultyBackupDriver(driver)
    const isOlder = /b(?!59_)\d+_metadata$/
    faulty.addFault(fault.fail('getObjectReader', { object: isOlder }))
    await expect(faulty.restore(newest, bufferVolume())).rejects.toMatchObject({ code: 'STORE_FAILED' })
    // Those that had begun together, and the one that is needed.
    expect(faulty.count('getObjectReader', isOlder)).toBeLessThanOrEqual(9)
    expect(records).toHaveLength(60)
  })

  it('are each read once where the chain alternates between containers', async () => {
    const { driver, newest, volume, records } = await makeBackups(12, [0], (index) =>
      index % 2 ? 'odd' : container,
    )
    const { restored, reads } = await restoreSlowly(driver, new FaultyBackupDriver(driver), newest)
    expect(Buffer.compare(restored, volume)).toBe(0)
    expect([...reads].sort()).toEqual(records.map(({ prefix }) => `${prefix}_metadata`).sort())
  })

  it('are read one after the other in a chain that skips backups', async () => {
    const { driver, records } = await makeBackups(6, [0])
    const differential = await driver.backup(
      { volumeId: 'volume', backupId: 'b6', parent: records[0]! },
      seededBytes(4096),
    )
    asOfCinder(driver, [...records, differential])
    const { reads } = await restoreSlowly(driver, new FaultyBackupDriver(driver), differential)
    expect(reads).toHaveLength(2)
  })

  it('of Cinder take one listing of the container, and one of the objects', async () => {
    const { driver, newest, records } = await makeBackups(6, [0])
    asOfCinder(driver, records)
    const faulty = new FaultyBackupDriver(driver)
    await faulty.verify(newest)
    expect(faulty.count('getContainerEntries')).toBe(1 + records.length)
  })

  it('are read where the container cannot be listed', async () => {
    const { driver, newest, volume } = await makeBackups(8, [0])
    const faulty = new FaultyBackupDriver(driver)
    faulty.addFault(fault.fail('getContainerEntries'))
    const { restored, reads } = await restoreSlowly(driver, faulty, newest)
    expect(Buffer.compare(restored, volume)).toBe(0)
    expect(reads).toHaveLength(8)
  })
})

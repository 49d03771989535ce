import { describe, expect, it } from 'vitest'
import { bufferVolume, type BackupRecord } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { seededBytes, withoutChecksum } from './volumes.js'

const container = 'volumebackups'
const sizes = { blockSizeBytes: 512, chunkSizeBytes: 1024 }

interface Chain {
  readonly driver: MemoryBackupDriver
  readonly records: BackupRecord[]
}

async function makeChain(length: number): Promise<Chain> {
  let minutes = 0
  const clock = (): Date => new Date(Date.UTC(2026, 0, 1, 0, minutes++))
  const driver = new MemoryBackupDriver({ ...sizes, clock })
  const volume = seededBytes(2048)
  const records: BackupRecord[] = []
  for (let index = 0; index < length; index += 1) {
    volume[index % 2048]! ^= 0xff
    const parent = records.at(-1) ?? null
    records.push(await driver.backup({ volumeId: 'volume', backupId: `b${index}`, parent }, volume))
  }
  return { driver, records }
}

const made = new Map<number, Promise<Chain>>()

/** A full backup and incrementals on it, each on the one before, in a store of their own. */
async function chainOf(length: number): Promise<Chain> {
  const chain = made.get(length) ?? makeChain(length)
  made.set(length, chain)
  const { driver, records } = await chain
  const store = new MemoryStore()
  for (const name of driver.store.list(container)) {
    store.set(container, name, driver.store.get(container, name)!)
  }
  // Later than all of them.
  const clock = (): Date => new Date(Date.UTC(2026, 0, 2))
  return { driver: new MemoryBackupDriver({ ...sizes, clock, store }), records }
}

/** How often each hook that reads is called. */
async function countCalls(
  driver: MemoryBackupDriver,
  run: (faulty: FaultyBackupDriver) => Promise<unknown>,
): Promise<Record<string, number>> {
  const faulty = new FaultyBackupDriver(driver)
  await run(faulty)
  const counts: Record<string, number> = {}
  for (const { operation } of faulty.calls) counts[operation] = (counts[operation] ?? 0) + 1
  return counts
}

describe('a chain of n backups', () => {
  const newest = (records: readonly BackupRecord[]): BackupRecord => records.at(-1)!
  const volume = seededBytes(2048, 7)

  it.each<
    [string, (driver: FaultyBackupDriver, records: readonly BackupRecord[]) => Promise<unknown>, number]
  >([
    [
      'an incremental on a record',
      (driver, records) => driver.backup({ volumeId: 'volume', parent: newest(records) }, volume),
      0,
    ],
    [
      'an incremental on an id',
      (driver, records) => driver.backup({ volumeId: 'volume', parent: newest(records).id }, volume),
      0,
    ],
    ['an incremental', (driver) => driver.backup({ volumeId: 'volume', incremental: true }, volume), 0],
    ['a quick verification', (driver, records) => driver.verify(newest(records).id), 1],
    ['a list', (driver) => driver.listBackups(), 1],
    ['its chain', (driver, records) => driver.getChain(newest(records).id), 1],
  ])('costs %s no more reads for each backup than a short one (C10)', async (_what, run, readsEach) => {
    // Of a chain of up to 32, an incremental reads all.
    const [short, long] = [await chainOf(40), await chainOf(90)]
    const few = await countCalls(short.driver, (driver) => run(driver, short.records))
    const many = await countCalls(long.driver, (driver) => run(driver, long.records))
    expect((many['getObjectReader'] ?? 0) - (few['getObjectReader'] ?? 0)).toBe(50 * readsEach)
    const listings = (many['getContainerEntries'] ?? 0) - (few['getContainerEntries'] ?? 0)
    expect(listings).toBeLessThanOrEqual(50)
  })

  it('is the parent of no incremental where an ancestor is gone, whose name is looked for', async () => {
    const { driver, records } = await chainOf(40)
    driver.store.delete(container, `${records[3]!.prefix}_metadata`)
    for (const request of [{ parent: newest(records) }, { parent: newest(records).id }]) {
      await expect(driver.backup({ volumeId: 'volume', ...request }, volume)).rejects.toMatchObject({
        code: 'CHAIN_INVALID',
        message: expect.stringContaining('b3, the parent of b4, is not in the store') as string,
      })
    }
  })

  it('costs an incremental every manifest where the parent says nothing of its ancestors, as after Cinder', async () => {
    const { driver, records } = await chainOf(40)
    const name = `${newest(records).prefix}_metadata`
    const text = withoutChecksum(driver.store.get(container, name)!)
    driver.store.set(container, name, Buffer.from(text.replace(/ {2}"stowage_ancestors": \[[^\]]*\],\n/, '')))
    const counts = await countCalls(driver, (faulty) =>
      faulty.backup({ volumeId: 'volume', parent: newest(records) }, volume),
    )
    expect(counts['getObjectReader']).toBeGreaterThanOrEqual(40)
    const next = await driver.backup({ volumeId: 'volume', incremental: true }, volume)
    expect((await driver.getChain(next)).length).toBe(42)
    await driver.verify(next, { level: 'full' })
  })

  it('lists its container twice, however long it is (C10)', async () => {
    const { driver, records } = await chainOf(60)
    driver.store.delete(container, `${records[7]!.prefix}-00001`)
    driver.store.set(container, `${records[5]!.prefix}-00077`, new Uint8Array(1))
    const warnings: string[] = []
    const faulty = new FaultyBackupDriver(driver, { onWarning: ({ message }) => warnings.push(message) })
    const error: unknown = await faulty.verify(newest(records)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'VERIFY_FAILED',
      details: { problems: [{ code: 'OBJECT_MISSING', objectName: `${records[7]!.prefix}-00001` }] },
    })
    expect(warnings.join()).toContain(`${records[5]!.prefix}-00077`)
    const listings = faulty.calls.filter(({ operation }) => operation === 'getContainerEntries')
    // For the ancestors' manifests, and for the objects of all.
    expect(listings).toHaveLength(2)
  })

  it('looks at each manifest once for its size, however long it is (C10)', async () => {
    const { driver, records } = await chainOf(60)
    for (const { prefix } of records) {
      const name = `${prefix}_metadata`
      const text = withoutChecksum(driver.store.get(container, name)!)
      driver.store.set(container, name, Buffer.from(text.replace(/,\n {2}"volume_size_bytes": \d+/, '')))
    }
    const listed = await driver.listBackups()
    expect(listed.map(({ sizeBytes }) => sizeBytes)).toEqual(records.map(() => 2048))
    const chain = await driver.getChain(newest(records).id)
    expect(chain.map(({ sizeBytes, sizeIsMinimum }) => [sizeBytes, sizeIsMinimum])).toEqual(
      records.map(() => [2048, undefined]),
    )
  })
})

describe('the size of a backup whose parent is not in the store', () => {
  it('is stated by what Stowage writes (C6)', async () => {
    const { driver, records } = await chainOf(3)
    driver.store.delete(container, `${records[0]!.prefix}_metadata`)
    const sizes = (await driver.listBackups()).map(({ id, ...rest }) => [
      id,
      rest.sizeBytes,
      rest.sizeIsMinimum,
    ])
    expect(sizes).toEqual([
      ['b1', 2048, undefined],
      ['b2', 2048, undefined],
    ])
  })

  it('is marked as a minimum where no manifest states it, up the whole chain (C6)', async () => {
    const { driver, records } = await chainOf(3)
    for (const { prefix } of records) {
      const name = `${prefix}_metadata`
      const text = withoutChecksum(driver.store.get(container, name)!)
      driver.store.set(container, name, Buffer.from(text.replace(/,\n {2}"volume_size_bytes": \d+/, '')))
    }
    driver.store.delete(container, `${records[0]!.prefix}_metadata`)
    for (const { id, sizeBytes, sizeIsMinimum } of await driver.listBackups()) {
      expect([id, sizeBytes, sizeIsMinimum]).toEqual([id, 512, true])
    }
    expect((await driver.getBackup('b2')).sizeIsMinimum).toBe(true)
    await expect(driver.restore('b2', bufferVolume())).rejects.toMatchObject({ code: 'CHAIN_INVALID' })
  })
})

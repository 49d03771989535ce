import { describe, expect, it } from 'vitest'
import { copyBackups, diffStores, type BackupError, type Progress } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { seededBytes } from '../engine/volumes.js'
import { container, sizes } from './support.js'

/** Two volumes: `a0` with `a1` on it and a branch `a2`, and `b0` with `b1`; one backup a day. */
async function sourceOfTwoVolumes(): Promise<MemoryBackupDriver> {
  let day = 0
  const clock = (): Date => new Date(Date.UTC(2026, 0, (day += 1)))
  const driver = new MemoryBackupDriver({ ...sizes, clock })
  const chain = [
    ['a0', null],
    ['b0', null],
    ['a1', 'a0'],
    ['b1', 'b0'],
    ['a2', 'a0'],
  ] as const
  for (const [index, [backupId, parent]] of chain.entries())
    await driver.backup(
      { volumeId: `volume-${backupId[0]!}`, backupId, parent },
      seededBytes(5000, index + 1),
    )
  return driver
}

const ids = async (driver: MemoryBackupDriver): Promise<string[]> =>
  (await driver.listBackups()).map(({ id }) => id)

describe('copyBackups', () => {
  it('copies all backups that the destination lacks', async () => {
    const from = await sourceOfTwoVolumes()
    const to = new MemoryBackupDriver(sizes)
    const { backups } = await copyBackups(from, to)
    expect(await ids(to)).toEqual(await ids(from))
    expect(backups.map(({ record, outcome }) => `${record.id} ${outcome}`).sort()).toEqual(
      ['a0', 'a1', 'a2', 'b0', 'b1'].map((id) => `${id} copied`),
    )
    expect((await copyBackups(from, to)).backups).toEqual([])
  })

  it('selects a volume, and those since a time with their ancestors', async () => {
    const from = await sourceOfTwoVolumes()
    const ofVolume = new MemoryBackupDriver(sizes)
    await copyBackups(from, ofVolume, { volumeId: 'volume-b' })
    expect(await ids(ofVolume)).toEqual(['b0', 'b1'])
    const since = new MemoryBackupDriver(sizes)
    await copyBackups(from, since, { since: new Date('2026-01-04T00:00:00Z') })
    expect((await ids(since)).sort()).toEqual(['a0', 'a2', 'b0', 'b1'])
  })

  it('reports progress of all chains together, which grows and ends at 100 %', async () => {
    const reports: Progress[] = []
    const to = new MemoryBackupDriver(sizes)
    await copyBackups(await sourceOfTwoVolumes(), to, { onProgress: (report) => reports.push(report) })
    for (const key of ['done', 'percent', 'transferredBytes', 'objects'] as const) {
      const values = reports.map((report) => report[key] ?? NaN)
      expect(values, key).toEqual([...values].sort((a, b) => a - b))
    }
    expect(reports.at(-1)).toMatchObject({ percent: 100, done: 5 * 5000, total: 5 * 5000 })
  })

  it('copies the others where one is damaged, and names the damaged object at the end', async () => {
    const from = await sourceOfTwoVolumes()
    const { prefix } = await from.getBackup('a1')
    const objectName = `${prefix}-00001`
    from.store.set(container, objectName, new Uint8Array(3))
    const to = new MemoryBackupDriver(sizes)
    await expect(copyBackups(from, to)).rejects.toMatchObject({
      code: 'COPY_INCOMPLETE',
      details: {
        problems: [expect.objectContaining({ backupId: 'a1', objectName, code: 'OBJECT_CORRUPT' })],
      },
    })
    expect((await ids(to)).sort()).toEqual(['a0', 'a2', 'b0', 'b1'])
  })

  it('names a different backup of the same id once, whatever depends on it', async () => {
    const from = await sourceOfTwoVolumes()
    const to = new MemoryBackupDriver(sizes)
    await to.backup({ volumeId: 'volume-a', backupId: 'a0' }, seededBytes(5000, 9))
    const reports: Progress[] = []
    const error: unknown = await copyBackups(from, to, {
      onProgress: (report) => reports.push(report),
    }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'COPY_INCOMPLETE' })
    expect((error as BackupError).details.problems).toEqual([
      {
        code: 'BACKUP_EXISTS',
        backupId: 'a0',
        message: expect.stringContaining('different backup') as string,
      },
    ])
    expect((await ids(to)).sort()).toEqual(['a0', 'b0', 'b1'])
    expect(reports.every(({ percent = 0 }) => percent < 100)).toBe(true)
  })

  it('copies the ancestors of a backup whose manifest is damaged', async () => {
    const from = await sourceOfTwoVolumes()
    const { prefix } = await from.getBackup('b1')
    const name = `${prefix}_metadata`
    const text = Buffer.from(from.store.get(container, name)!).toString()
    // A list whose first offset does not fit, as Cinder would have written it.
    const damaged = text
      .replace(/ {2}"stowage_checksum": "[^"]*",\n/, '')
      .replace('"offset": 0', '"offset": 512')
    from.store.set(container, name, Buffer.from(damaged))
    const to = new MemoryBackupDriver(sizes)
    await expect(copyBackups(from, to, { volumeId: 'volume-b' })).rejects.toMatchObject({
      code: 'COPY_INCOMPLETE',
      details: { problems: [expect.objectContaining({ backupId: 'b1', code: 'METADATA_INVALID' })] },
    })
    expect(await ids(to)).toEqual(['b0'])
  })

  it('rejects a misspelled option', async () => {
    const from = await sourceOfTwoVolumes()
    const to = new MemoryBackupDriver(sizes)
    const options = { sinse: new Date() } as object
    await expect(copyBackups(from, to, options)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(copyBackups(from, to, { since: new Date('x') })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })
})

describe('diffStores', () => {
  it('lists what the destination lacks, and backups of the same id that differ', async () => {
    const from = await sourceOfTwoVolumes()
    const to = new MemoryBackupDriver(sizes)
    await copyBackups(from, to, { volumeId: 'volume-b' })
    await to.backup({ volumeId: 'volume-a', backupId: 'a0' }, seededBytes(5000, 9))
    const { missing, different } = await diffStores(from, to)
    expect(missing.map(({ id }) => id)).toEqual(['a1', 'a2'])
    expect(different.map(({ id }) => id)).toEqual(['a0'])
    expect(await diffStores(from, to, { volumeId: 'volume-b' })).toEqual({ missing: [], different: [] })
  })
})

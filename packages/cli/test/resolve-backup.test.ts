import { BackupError, type StoreOptions } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { describe, expect, it } from 'vitest'
import { CliError } from '../src/cli-error.js'
import { resolveBackup, completeIdRequired } from '../src/resolve-backup.js'

const { signal } = new AbortController()
const one = '3d7a4719-aaaa-4000-8000-000000000001'
const two = '3d7a4719-bbbb-4000-8000-000000000002'

class CountingDriver extends MemoryBackupDriver {
  lists = 0

  override listBackups(
    ...args: Parameters<MemoryBackupDriver['listBackups']>
  ): ReturnType<MemoryBackupDriver['listBackups']> {
    this.lists += 1
    return super.listBackups(...args)
  }
}

/** A store of which one container cannot be listed. */
class PartlyListedDriver extends MemoryBackupDriver {
  closed: string | undefined

  override getContainerEntries(
    container: string,
    ...rest: [prefix: string, options: StoreOptions]
  ): ReturnType<MemoryBackupDriver['getContainerEntries']> {
    if (container === this.closed) throw new BackupError('FORBIDDEN', 'It may not be listed.', { container })
    return super.getContainerEntries(container, ...rest)
  }
}

async function storeWithTwo(): Promise<CountingDriver> {
  const driver = new CountingDriver()
  for (const backupId of [one, two]) await driver.backup({ volumeId: 'v', backupId }, Buffer.from('x'))
  return driver
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('the beginning of an id', () => {
  it('finds the one backup that it fits', async () => {
    expect(await resolveBackup(await storeWithTwo(), '3d7a4719-b', signal)).toMatchObject({ id: two })
  })

  it('is found by the names in the store: the manifests of other backups are not read', async () => {
    const driver = new MemoryBackupDriver()
    for (let number = 10; number < 40; number += 1) {
      const backupId = `${String(number)}7a4719-aaaa-4000-8000-000000000001`
      await driver.backup({ volumeId: 'v', backupId }, Buffer.from('x'))
    }
    const counting = new FaultyBackupDriver(driver)
    expect(await resolveBackup(counting, '237a', signal)).toMatchObject({
      id: '237a4719-aaaa-4000-8000-000000000001',
    })
    expect(counting.count('getObjectReader')).toBe(1)
  })

  it('finds it also where a container cannot be listed', async () => {
    const driver = new PartlyListedDriver()
    for (const container of ['open', 'closed'])
      await driver.backup(
        { volumeId: 'v', container, backupId: container === 'open' ? one : two },
        Buffer.from('x'),
      )
    driver.closed = 'closed'
    expect(await resolveBackup(driver, '3d7a4719-a', signal)).toMatchObject({ id: one })
    expect(await failureOf(resolveBackup(driver, '3d7a4719-b', signal))).toMatchObject({ code: 'FORBIDDEN' })
  })

  it('is refused where it fits several, which are named', async () => {
    const error = await failureOf(resolveBackup(await storeWithTwo(), '3d7a4719', signal))
    expect(error).toMatchObject({
      code: 'USAGE',
      exitCode: 2,
      message: 'The ids of 2 backups begin with "3d7a4719".',
      hint: `Give more of the id: ${one}, ${two}.`,
      details: { backupIds: [one, two] },
    })
  })

  it('has four characters at least, and the error says so', async () => {
    const driver = await storeWithTwo()
    const error = await failureOf(resolveBackup(driver, '3d7', signal))
    expect(error).toMatchObject({ code: 'BACKUP_NOT_FOUND', exitCode: 3 })
    expect((error as CliError).hint).toContain('at least the first 4 characters')
    expect(driver.lists).toBe(0)
  })

  it('is not looked for in the list where a whole id is given', async () => {
    const driver = await storeWithTwo()
    const gone = '3d7a4719-cccc-4000-8000-000000000003'
    expect(await failureOf(resolveBackup(driver, gone, signal))).toMatchObject({ code: 'BACKUP_NOT_FOUND' })
    expect(driver.lists).toBe(0)
  })
})

describe('a delete by the beginning of an id', () => {
  async function deleteOf(driver: CountingDriver, id: string): Promise<unknown> {
    const error = await failureOf(driver.deleteBackup(id))
    return completeIdRequired(driver, id, signal, error)
  }

  it('is refused with the backups that it fits', async () => {
    const driver = await storeWithTwo()
    expect(await deleteOf(driver, '3d7a4719')).toMatchObject({
      code: 'BACKUP_NOT_FOUND',
      exitCode: 3,
      hint: `These ids begin so: ${one}, ${two}.`,
      details: { backupIds: [one, two] },
    })
    expect(await deleteOf(driver, '3d7a4719-a')).toMatchObject({
      hint: `The id of one backup begins so: ${one}.`,
    })
    expect(await driver.listBackups()).toHaveLength(2)
  })

  it('keeps its own error where it fits none, or the whole id is of no backup', async () => {
    const driver = await storeWithTwo()
    for (const id of ['nobody', 'x', '3d7a4719-cccc-4000-8000-000000000003']) {
      const error = await deleteOf(driver, id)
      expect(error).not.toBeInstanceOf(CliError)
      expect(error).toMatchObject({ code: 'BACKUP_NOT_FOUND' })
    }
    expect(driver.lists).toBe(1)
  })
})

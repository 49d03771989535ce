import { expect, it } from 'vitest'
import { MemoryBackupDriver } from '@stowage/backup-testkit'

const clock = (): Date => new Date('2026-01-02T03:04:05Z')

it('gives the time of a backup in one form, wherever its record comes from', async () => {
  const driver = new MemoryBackupDriver({ clock })
  const made = await driver.backup({ volumeId: 'volume', backupId: 'full' }, Buffer.from('volume'))
  const iso = '2026-01-02T03:04:05Z'
  expect(made.createdAt).toBe(iso)
  expect((await driver.getBackup('full')).createdAt).toBe(iso)
  expect((await driver.listBackups()).map(({ createdAt }) => createdAt)).toEqual([iso])
  expect((await driver.getChain('full')).map(({ createdAt }) => createdAt)).toEqual([iso])
  const exported = await driver.exportRecord('full')
  expect((await driver.importRecord(exported)).createdAt).toBe(iso)
  // What is stored stays as Python prints it.
  const stored = Buffer.from(driver.store.get(made.container, `${made.prefix}_metadata`)!).toString()
  expect(stored).toContain('"created_at": "2026-01-02 03:04:05+00:00"')
})

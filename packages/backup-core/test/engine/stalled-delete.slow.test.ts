import { expect, test } from 'vitest'
import { BackupError } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

// It takes as long as a delete waits for another one: ten seconds.
test('a backup is not put back by a delete that fails while another one, which stalls, removes it', async () => {
  const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
  const { prefix } = await driver.backup({ volumeId: 'v', backupId: 'par' }, seededBytes(9000))
  const stalled = gate()
  const begun = gate()
  const stall = fault.run('deleteObjects', {
    run: async () => {
      begun.open()
      await stalled.opened
    },
  })
  const first = new FaultyBackupDriver(driver, { faults: [stall] }).deleteBackup('par')
  await begun.opened
  const error = new BackupError('STORE_FAILED', 'The store reports an error.')
  const refuse = fault.fail('getContainers', { nth: 2, error })
  const second = new FaultyBackupDriver(driver, { faults: [refuse] })
  // A record, since the listing that would find its id fails.
  const record = { id: 'par', volumeId: 'v', container: 'volumebackups', prefix, parentId: null }
  const rest = { name: null, description: null, createdAt: '2026-01-01T00:00:00Z', sizeBytes: 9000 }
  await expect(second.deleteBackup({ ...record, ...rest, objectCount: 5 })).rejects.toMatchObject({
    code: 'DELETE_INCOMPLETE',
  })
  expect(driver.store.get('volumebackups', `${prefix}_metadata`)).toBeUndefined()
  stalled.open()
  await first
  expect(await driver.listBackups()).toEqual([])
})

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    opened,
    open: () => {
      open()
    },
  }
}

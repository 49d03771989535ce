import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getBackupDriver } from '@stowage/backup-posix'

// Mounting takes root: `npm run test:openstack` sets this where it has it.
describe.skipIf(process.env['STOWAGE_TEST_ROOT'] !== '1')('a store on a disk that fills up', () => {
  let mount: string
  beforeAll(() => {
    mount = mkdtempSync(join(tmpdir(), 'stowage-full-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount])
  })
  afterAll(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true })
  })

  it('fails the backup with NO_SPACE, keeps the ones before it, and has its space back', async () => {
    const sizes = { chunkSizeBytes: 65_536, blockSizeBytes: 4096 }
    const driver = await getBackupDriver({ path: mount, create: true, ...sizes })
    const first = await driver.backup({ volumeId: 'volume' }, randomBytes(300_000))
    const namesBefore = readdirSync(mount, { recursive: true }).sort()
    await expect(driver.backup({ volumeId: 'volume' }, randomBytes(2_000_000))).rejects.toMatchObject({
      code: 'NO_SPACE',
    })
    expect(readdirSync(mount, { recursive: true }).sort()).toEqual(namesBefore)
    await driver.verify(first, { level: 'full' })
    const next = await driver.backup({ volumeId: 'volume' }, randomBytes(300_000))
    expect((await driver.listBackups()).map(({ id }) => id).sort()).toEqual([first.id, next.id].sort())
  })
})

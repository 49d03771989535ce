import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PosixBackupDriver } from '@stowage/backup-posix'

// Mounting takes root: `npm run test:openstack` sets this where it has it.
describe.skipIf(process.env['STOWAGE_TEST_ROOT'] !== '1')('a store on a mount (point 3)', () => {
  let path: string
  const mount = (): unknown => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path])
  const unmount = (...options: string[]): unknown => execFileSync('umount', [...options, path])
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'stowage-mount-'))
  })
  afterEach(() => {
    rmSync(path, { recursive: true })
  })

  it('is STORE_MISSING while it is not mounted, and the mount point stays empty', async () => {
    await using driver = new PosixBackupDriver({ path })
    mount()
    try {
      await driver.createStore()
      await driver.backup({ volumeId: 'v' }, Buffer.alloc(100_000, 1))
    } finally {
      unmount()
    }
    for (const one of [driver, new PosixBackupDriver({ path })]) {
      await expect(one.listBackups()).rejects.toMatchObject({ code: 'STORE_MISSING' })
      const backup = one.backup({ volumeId: 'v' }, Buffer.alloc(100_000, 1))
      await expect(backup).rejects.toMatchObject({ code: 'STORE_MISSING' })
    }
    expect(readdirSync(path)).toEqual([])
  })

  it('fails a backup during which it is unmounted, and nothing of it is on the disk below', async () => {
    await using driver = new PosixBackupDriver({ path, chunkSizeBytes: 65_536 })
    mount()
    await driver.createStore()
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000, 1)
      unmount('--lazy')
      mkdirSync(join(path, 'nightly'))
      yield Buffer.alloc(200_000, 2)
    }
    await expect(driver.backup({ volumeId: 'v', container: 'nightly' }, source())).rejects.toMatchObject({
      code: expect.stringMatching(/^(STORE_MISSING|CONTAINER_MISSING|CLEANUP_INCOMPLETE)$/) as string,
    })
    expect(readdirSync(path, { recursive: true })).toEqual(['nightly'])
  })
})

import { bufferVolume } from '@stowage/backup-core'
import type { BackupRecord, BackupWarning } from '@stowage/backup-core'
import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PosixBackupDriver } from '../src/index.js'
import { all, expectCode, temporaryDirectory, temporaryStore } from './temporary-store.js'

const isRoot = process.getuid?.() === 0
const bytes = Buffer.alloc(10_000, 1)

interface Chain {
  readonly driver: PosixBackupDriver
  readonly path: string
  readonly full: BackupRecord
  readonly next: BackupRecord
  readonly warnings: BackupWarning[]
}

/** A full backup, and an incremental on it in a container of its own. */
async function chain(): Promise<Chain> {
  const warnings: BackupWarning[] = []
  const { driver, path } = await temporaryStore({ onWarning: (warning) => warnings.push(warning) })
  const full = await driver.backup({ volumeId: 'v', backupId: 'base' }, bytes)
  const next = await driver.backup({ volumeId: 'v', backupId: 'next', parent: full }, Buffer.alloc(12_000, 2))
  return { driver, path, full, next, warnings }
}

/** What can be in the place of a manifest that is no regular file. */
const replacements: Readonly<Record<string, (manifest: string, outside: string) => Promise<unknown>>> = {
  'a directory': async (manifest) => {
    await rm(manifest)
    await mkdir(manifest)
  },
  'a link to the manifest itself': async (manifest, outside) => {
    await rename(manifest, join(outside, 'manifest'))
    await symlink(join(outside, 'manifest'), manifest)
  },
  'a link to nothing': async (manifest) => {
    await rm(manifest)
    await symlink('/nowhere/at/all', manifest)
  },
  'a FIFO': async (manifest) => {
    await rm(manifest)
    execFileSync('mkfifo', [manifest])
  },
}

describe('a manifest that is no regular file (C6)', () => {
  for (const [what, replace] of Object.entries(replacements)) {
    it(`is left out of a list with a warning, and is no reason to lose the others: ${what}`, async () => {
      const { driver, path, full, next, warnings } = await chain()
      const manifest = join(path, next.container, `${next.prefix}_metadata`)
      await replace(manifest, await temporaryDirectory())
      expect((await driver.listBackups()).map(({ id }) => id)).toEqual([full.id])
      expect(warnings).toMatchObject([{ code: 'METADATA_UNREADABLE' }])
      expect(warnings[0]?.message).toContain(`${next.prefix}_metadata`)
      await driver.verify(full, { level: 'full' })
      await expect(driver.restore('next', bufferVolume())).rejects.toMatchObject({
        code: expect.stringMatching(/^(NOT_A_FILE|FORBIDDEN)$/) as string,
      })
    })

    it(`keeps the backup that it may depend on from being deleted: ${what}`, async () => {
      const { driver, path, full, next } = await chain()
      await replace(join(path, next.container, `${next.prefix}_metadata`), await temporaryDirectory())
      await expectCode('DEPENDENTS_UNKNOWN', driver.deleteBackup(full))
      await driver.verify(full, { level: 'full' })
    })

    it(`is in the way of a new backup of the id: ${what}`, async () => {
      const { driver, path, next } = await chain()
      await replace(join(path, next.container, `${next.prefix}_metadata`), await temporaryDirectory())
      await expect(driver.backup({ volumeId: 'v', backupId: 'next' }, bytes)).rejects.toMatchObject({
        code: expect.stringMatching(/^(NOT_A_FILE|FORBIDDEN)$/) as string,
      })
    })
  }

  it('is found where its container holds nothing else', async () => {
    for (const replace of Object.values(replacements)) {
      const { driver, path, full, next } = await chain()
      const directory = join(path, next.container)
      await replace(join(directory, `${next.prefix}_metadata`), await temporaryDirectory())
      for (const end of ['-00001', '-00002', '-00003', '_sha256file']) {
        await rm(join(directory, next.prefix + end), { force: true })
      }
      expect(await all(driver.getContainers({}))).toEqual([full.container, next.container].sort())
    }
  })

  it('is not deleted where it is a directory: NOT_A_FILE', async () => {
    const { driver, path, next } = await chain()
    const manifest = join(path, next.container, `${next.prefix}_metadata`)
    await replacements['a directory']!(manifest, '')
    await expectCode('NOT_A_FILE', driver.deleteObject(next.container, `${next.prefix}_metadata`, {}))
    expect((await lstat(manifest)).isDirectory()).toBe(true)
  })

  it('does not count as a chunk that is there: a quick verification names a chunk that is a link', async () => {
    const { driver, path, next } = await chain()
    const chunk = join(path, next.container, `${next.prefix}-00001`)
    await rename(chunk, `${chunk}.moved`)
    await symlink(`${chunk}.moved`, chunk)
    await expectCode('VERIFY_FAILED', driver.verify(next))
  })
})

describe('a container that cannot be listed (C6)', () => {
  async function replaceByLink({ path, next }: Chain): Promise<string> {
    const outside = await temporaryDirectory()
    await rename(join(path, next.container), join(outside, 'moved'))
    await symlink(join(outside, 'moved'), join(path, next.container))
    return join(outside, 'moved')
  }

  it('is a warning of a list, where it is a link that leads out', async () => {
    const made = await chain()
    await replaceByLink(made)
    const { driver, full, next, warnings } = made
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual([full.id])
    expect(warnings).toMatchObject([{ code: 'METADATA_UNREADABLE' }])
    expect(warnings[0]?.message).toContain(next.container)
    expect(warnings[0]?.message).toContain('is a symbolic link')
  })

  it('keeps the backups that one in it may depend on from being deleted', async () => {
    const made = await chain()
    await replaceByLink(made)
    await expectCode('DEPENDENTS_UNKNOWN', made.driver.deleteBackup('base'))
    await made.driver.verify('base', { level: 'full' })
  })

  it('keeps nobody from the backups in other containers', async () => {
    const made = await chain()
    await replaceByLink(made)
    await made.driver.verify('base', { level: 'full' })
    const target = bufferVolume()
    await made.driver.restore('base', target)
    expect(Buffer.from(target.bytes)).toEqual(bytes)
    await made.driver.backup({ volumeId: 'v', incremental: true }, bytes)
  })

  it('is the error of a search for a backup that is nowhere else', async () => {
    const made = await chain()
    await replaceByLink(made)
    await expectCode('FORBIDDEN', made.driver.getBackup('next'))
    await expectCode('FORBIDDEN', made.driver.backup({ volumeId: 'v', backupId: 'next' }, bytes))
  })

  it('is the error of a list where no container can be listed, or where the caller named it', async () => {
    const made = await chain()
    await replaceByLink(made)
    const { driver, path, full, next } = made
    await expectCode('FORBIDDEN', driver.listBackups({ container: next.container }))
    await rm(join(path, dirname(dirname(full.container))), { recursive: true })
    await expectCode('FORBIDDEN', driver.listBackups())
  })

  it.skipIf(isRoot)('is a warning of a list, where this user may not read it', async () => {
    const { driver, path, full, next, warnings } = await chain()
    await chmod(join(path, next.container), 0o000)
    onTestFinished(() => chmod(join(path, next.container), 0o770))
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual([full.id])
    expect(warnings).toMatchObject([{ code: 'METADATA_UNREADABLE' }])
  })
})

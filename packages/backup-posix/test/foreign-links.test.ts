import type { BackupRecord, BackupWarning } from '@stowage/backup-core'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PosixBackupDriver } from '../src/index.js'
import { expectCode, temporaryDirectory, temporaryStore } from './temporary-store.js'

const bytes = Buffer.alloc(10_000, 1)

interface Linked {
  readonly driver: PosixBackupDriver
  readonly path: string
  readonly warnings: BackupWarning[]
  /** Codes of {@link warnings}. */
  readonly codes: () => string[]
}

/** A store with a link in its root to a directory elsewhere, which holds another store. */
async function linkedStore(): Promise<Linked> {
  const elsewhere = await temporaryDirectory()
  const other = await temporaryStore({ path: join(elsewhere, 'other-store') })
  await other.driver.backup({ volumeId: 'v' }, bytes)
  await writeFile(join(elsewhere, 'notes.txt'), 'notes')
  const warnings: BackupWarning[] = []
  const { driver, path } = await temporaryStore({ onWarning: (warning) => warnings.push(warning) })
  await symlink(elsewhere, join(path, 'out'))
  return { driver, path, warnings, codes: () => warnings.map(({ code }) => code) }
}

async function damaged({ driver, path }: Linked): Promise<BackupRecord> {
  const record = await driver.backup({ volumeId: 'v', backupId: 'damaged' }, bytes)
  await writeFile(join(path, record.container, `${record.prefix}_metadata`), '{')
  return record
}

describe('a link in the root of a store to a directory that is no container (A8)', () => {
  it('is a warning of a list that is empty otherwise, once', async () => {
    const { driver, warnings } = await linkedStore()
    expect(await driver.listBackups()).toEqual([])
    expect(await driver.listBackups()).toEqual([])
    expect(warnings).toEqual([
      { code: 'DRIVER', message: expect.stringContaining('a symbolic link, "out",') as string },
    ])
  })

  it('does not keep a store from its first backup, whether the id is given or not', async () => {
    const first = await linkedStore()
    await first.driver.backup({ volumeId: 'v', incremental: true }, bytes)
    const { driver } = await linkedStore()
    await driver.backup({ volumeId: 'v', backupId: 'first' }, bytes)
    await driver.verify('first', { level: 'full' })
    await expectCode('BACKUP_NOT_FOUND', driver.getBackup('second'))
  })

  it('keeps a backup from being deleted, for an incremental may be below it, unless force is set', async () => {
    const { driver, codes } = await linkedStore()
    await driver.backup({ volumeId: 'v', backupId: 'base' }, bytes)
    await expectCode('DEPENDENTS_UNKNOWN', driver.deleteBackup('base'))
    await driver.verify('base', { level: 'full' })
    await driver.deleteBackup('base', { force: true })
    expect(codes()).toContain('DEPENDENT_IGNORED')
    expect(await driver.listBackups()).toEqual([])
  })

  it('does not keep force from deleting a damaged backup, with a warning', async () => {
    const linked = await linkedStore()
    const { id } = await damaged(linked)
    await expectCode('METADATA_INVALID', linked.driver.deleteBackup(id))
    expect((await linked.driver.deleteBackup(id, { force: true })).deleted).toEqual([id])
    expect(linked.codes()).toContain('DEPENDENT_IGNORED')
  })
})

it('a link to a container that was moved away is the error of a search, as before', async () => {
  const outside = await temporaryDirectory()
  const { driver, path } = await temporaryStore()
  await driver.backup({ volumeId: 'v', backupId: 'moved', container: 'images' }, bytes)
  await rename(join(path, 'images'), join(outside, 'images'))
  await symlink(join(outside, 'images'), join(path, 'images'))
  await expectCode('FORBIDDEN', driver.getBackup('moved'))
  await expectCode('FORBIDDEN', driver.backup({ volumeId: 'v', backupId: 'moved' }, bytes))

  const other = await temporaryStore()
  const { container } = await other.driver.backup({ volumeId: 'v', backupId: 'automatic' }, bytes)
  const top = container.slice(0, container.indexOf('/'))
  await mkdir(join(outside, 'more'))
  await rename(join(other.path, top), join(outside, 'more', top))
  await symlink(join(outside, 'more', top), join(other.path, top))
  await expectCode('FORBIDDEN', other.driver.getBackup('automatic'))
})

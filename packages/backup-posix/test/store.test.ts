import { bufferVolume } from '@stowage/backup-core'
import { cp, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { vaultPath, vaults } from '../../../test-fixtures/vaults/vaults.js'
import { PosixBackupDriver } from '../src/index.js'
import { all, expectCode, object, put, temporaryDirectory, temporaryStore } from './temporary-store.js'

const mark = '.stowage-store'
const bytes = Buffer.alloc(10_000, 1)

/** Every public operation, on a driver that does not make stores. */
const operations: Readonly<Record<string, (driver: PosixBackupDriver) => Promise<unknown>>> = {
  listBackups: (driver) => driver.listBackups(),
  getBackup: (driver) => driver.getBackup('some-id'),
  getChain: (driver) => driver.getChain('some-id'),
  backup: (driver) => driver.backup({ volumeId: 'v' }, bytes),
  'backup, incremental': (driver) => driver.backup({ volumeId: 'v', incremental: true }, bytes),
  restore: (driver) => driver.restore('some-id', bufferVolume()),
  verify: (driver) => driver.verify('some-id'),
  deleteBackup: (driver) => driver.deleteBackup('some-id'),
  exportRecord: (driver) => driver.exportRecord('some-id'),
  checkForSetupError: (driver) => driver.checkForSetupError(),
}

const missingStores: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'does not exist': () => Promise.resolve(),
  'is empty, as an unmounted mount point is': (path) => mkdir(path),
  'holds nothing but lost+found': (path) => mkdir(join(path, 'lost+found'), { recursive: true }),
  'holds files that are no backups': async (path) => {
    await mkdir(join(path, 'photos'), { recursive: true })
    await writeFile(join(path, 'photos', 'cat.jpg'), 'cat')
  },
  'is a link to nothing': (path) => symlink('/nowhere/at/all', path),
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('a directory that is not a store (point 3)', () => {
  for (const [how, prepare] of Object.entries(missingStores)) {
    for (const [name, operate] of Object.entries(operations)) {
      it(`is STORE_MISSING for ${name}, and stays as it is, where it ${how}`, async () => {
        const outside = await temporaryDirectory()
        const path = join(outside, 'root')
        await prepare(path)
        const before = await readdir(outside, { recursive: true })
        await using driver = new PosixBackupDriver({ path })
        await expectCode('STORE_MISSING', operate(driver))
        expect(await readdir(outside, { recursive: true })).toEqual(before)
      })
    }
  }

  it('is named in the message, with what to do', async () => {
    const outside = await temporaryDirectory()
    await using driver = new PosixBackupDriver({ path: join(outside, 'gone') })
    const gone = `There is no store at ${outside}/gone: the directory does not exist.`
    await expect(driver.listBackups()).rejects.toThrow(gone)
    await expect(driver.listBackups()).rejects.toThrow(`mount it`)
    await expect(driver.listBackups()).rejects.toThrow(`stowage init --store posix:${outside}/gone`)
    await expect(driver.listBackups()).rejects.toThrow('`create: true`')
  })

  it('is opened for the other operations where the one that began to open it is aborted', async () => {
    const { driver: first, path } = await temporaryStore()
    await first.backup({ volumeId: 'v' }, bytes)
    await rm(join(path, mark))
    await using driver = new PosixBackupDriver({ path })
    const controller = new AbortController()
    const aborted = expectCode('ABORTED', driver.listBackups({ signal: controller.signal }))
    const other = driver.listBackups()
    controller.abort()
    await aborted
    expect(await other).toHaveLength(1)
  })

  it('opens once its file system is mounted', async () => {
    const { driver: first, path } = await temporaryStore()
    await first.backup({ volumeId: 'v' }, bytes)
    await rename(path, `${path}-elsewhere`)
    await using driver = new PosixBackupDriver({ path })
    await expectCode('STORE_MISSING', driver.listBackups())
    await rename(`${path}-elsewhere`, path)
    expect(await driver.listBackups()).toHaveLength(1)
  })
})

describe('a store whose file system goes away (point 3)', () => {
  /** An open driver on a store, and the place that its directory is moved to. */
  async function openStore(): Promise<{ driver: PosixBackupDriver; path: string; elsewhere: string }> {
    const outside = await temporaryDirectory()
    const path = join(outside, 'root')
    await (await temporaryStore({ path })).driver.createStore()
    const { driver } = await temporaryStore({ path, create: false })
    await driver.listBackups()
    return { driver, path, elsewhere: join(outside, 'elsewhere') }
  }

  it('is STORE_MISSING for the next operation, which does not fill the mount point', async () => {
    const { driver, path, elsewhere } = await openStore()
    await rename(path, elsewhere)
    await mkdir(path)
    for (const operate of Object.values(operations)) await expectCode('STORE_MISSING', operate(driver))
    expect(await readdir(path)).toEqual([])
  })

  it('is not made again by a driver that made it', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore({ path: join(outside, 'root') })
    await driver.backup({ volumeId: 'v' }, bytes)
    await rename(path, join(outside, 'elsewhere'))
    await mkdir(path)
    await expectCode('STORE_MISSING', driver.backup({ volumeId: 'v' }, bytes))
    expect(await readdir(path)).toEqual([])
  })

  it('is STORE_MISSING for the next backup where the mark went away, though the directory is the same', async () => {
    const { driver, path } = await openStore()
    await rm(join(path, mark))
    await expectCode('STORE_MISSING', driver.backup({ volumeId: 'v' }, bytes))
    expect(await readdir(path)).toEqual([])
  })

  it('fails the backup that is under way, also where the mount point has a container of the name', async () => {
    const { driver, path, elsewhere } = await openStore()
    const unmount = async (): Promise<void> => {
      await rename(path, elsewhere)
      await mkdir(join(path, 'nightly'), { recursive: true })
    }
    let unmounted: Promise<void> | undefined
    const vanishing = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes
      unmounted = unmount()
      await unmounted
      yield bytes
    }
    const backup = driver.backup({ volumeId: 'v', container: 'nightly' }, vanishing())
    await expect(backup).rejects.toMatchObject({
      code: expect.stringMatching(/STORE_MISSING|CLEANUP/) as string,
    })
    // The engine does not wait for a source that it no longer needs.
    await unmounted
    expect(await readdir(path, { recursive: true })).toEqual(['nightly'])
  })

  it('is open again once it is back', async () => {
    const { driver, path, elsewhere } = await openStore()
    await rename(path, elsewhere)
    await expectCode('STORE_MISSING', driver.listBackups())
    await cp(elsewhere, path, { recursive: true })
    await driver.backup({ volumeId: 'v' }, bytes)
    expect(await driver.listBackups()).toHaveLength(1)
  })
})

describe('a directory that Cinder filled (point 3)', () => {
  it('opens as it is, and gets no mark', async () => {
    const path = await temporaryDirectory()
    await cp(vaultPath(vaults.find(({ name }) => name === 'chain')!), path, { recursive: true })
    for (const create of [false, true]) {
      await using driver = new PosixBackupDriver({ path, create })
      expect(await driver.listBackups()).not.toEqual([])
      await driver.backup({ volumeId: 'v' }, bytes)
      expect(await readdir(path)).not.toContain(mark)
    }
  })

  it('is a store though the backups in it cannot be read, or have lost their manifest', async () => {
    for (const name of ['x_metadata', 'volume_v_20260101000000_backup_b-00001']) {
      const path = await temporaryDirectory()
      await mkdir(join(path, 'a', 'b', 'c', 'd', 'e'), { recursive: true })
      await writeFile(join(path, 'a', 'b', 'c', 'd', 'e', name), 'damaged')
      await using driver = new PosixBackupDriver({ path })
      expect(await driver.listBackups()).toEqual([])
    }
  })

  it('is marked by createStore, and then is a store without its backups too', async () => {
    const path = await temporaryDirectory()
    await cp(vaultPath(vaults[0]!), path, { recursive: true })
    await using driver = new PosixBackupDriver({ path })
    expect(await driver.createStore()).toEqual({ outcome: 'marked' })
    for (const name of await readdir(path)) if (name !== mark) await rm(join(path, name), { recursive: true })
    expect(await new PosixBackupDriver({ path }).listBackups()).toEqual([])
  })
})

describe('createStore (point 3)', () => {
  it('makes the directory, with its parents, and a mark', async () => {
    const path = join(await temporaryDirectory(), 'a', 'root')
    await using driver = new PosixBackupDriver({ path })
    expect(await driver.createStore()).toEqual({ outcome: 'created' })
    expect(await readdir(path)).toEqual([mark])
    expect(JSON.parse(await readFile(join(path, mark), 'utf8'))).toEqual({
      format: 'stowage-posix-store',
      version: 1,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    })
    expect(await modeOf(path)).toBe(0o770)
    expect(await modeOf(join(path, mark))).toBe(0o660)
    expect(await driver.listBackups()).toEqual([])
  })

  it('changes nothing in a store', async () => {
    const { driver, path } = await temporaryStore()
    await driver.backup({ volumeId: 'v' }, bytes)
    const before = await readFile(join(path, mark))
    expect(await driver.createStore()).toEqual({ outcome: 'unchanged' })
    await using again = new PosixBackupDriver({ path, create: true })
    expect(await again.listBackups()).toHaveLength(1)
    expect(await readFile(join(path, mark))).toEqual(before)
  })

  it('writes one mark, and fails nowhere, when many programs call it at once', async () => {
    const path = join(await temporaryDirectory(), 'root')
    const drivers = Array.from({ length: 8 }, () => new PosixBackupDriver({ path, create: true }))
    const outcomes = await Promise.all(
      drivers.map(async (driver) => {
        const { outcome } = await driver.createStore()
        await driver.putContainer('c', {})
        await put(driver, 'c', 'not-a-backup', 'text')
        return outcome
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(7)
    expect((await readdir(path)).sort()).toEqual([mark, 'c'])
  })

  it('takes a directory with lost+found, with empty directories, or with what a killed program left', async () => {
    for (const name of ['lost+found', '.snapshot', 'ab/cd/some-id']) {
      const path = await temporaryDirectory()
      await mkdir(join(path, name), { recursive: true })
      await writeFile(join(path, '.stowage-killed.tmp'), '')
      await using driver = new PosixBackupDriver({ path })
      expect(await driver.createStore()).toEqual({ outcome: 'created' })
    }
  })

  it('refuses a directory that holds other files with CONFLICT, and so does `create`', async () => {
    for (const name of ['letter.txt', 'photos/cat.jpg', '.bashrc', 'volume_v_1_backup_b_metadata']) {
      const path = await temporaryDirectory()
      await mkdir(join(path, 'photos'))
      await writeFile(join(path, name), 'precious')
      const before = await readdir(path, { recursive: true })
      await using driver = new PosixBackupDriver({ path, create: true })
      await expectCode('CONFLICT', driver.createStore())
      await expectCode('CONFLICT', driver.backup({ volumeId: 'v' }, bytes))
      await expectCode('CONFLICT', driver.listBackups())
      expect(await readdir(path, { recursive: true })).toEqual(before)
    }
  })

  it('refuses a link to nothing: what it leads to may be on a mount that is missing', async () => {
    const path = join(await temporaryDirectory(), 'root')
    await symlink('/nowhere/at/all', path)
    await using driver = new PosixBackupDriver({ path, create: true })
    await expectCode('STORE_MISSING', driver.createStore())
    await expectCode('STORE_MISSING', driver.backup({ volumeId: 'v' }, bytes))
  })

  it('refuses a file where the directory should be', async () => {
    const path = join(await temporaryDirectory(), 'root')
    await writeFile(path, 'text')
    await expectCode('NOT_A_FILE', new PosixBackupDriver({ path }).createStore())
    await expectCode('NOT_A_FILE', new PosixBackupDriver({ path: join(path, 'below') }).createStore())
    expect(await readFile(path, 'utf8')).toBe('text')
  })
})

describe('the mark of a store (point 3)', () => {
  const marks = {
    STORE_FAILED: ['', '{', '[]', 'null', '{}', '{"format":"stowage-posix-store"}', 'x'.repeat(100_000)],
    VERSION_UNSUPPORTED: ['{"format":"stowage-posix-store","version":2}'],
  } as const

  for (const [code, texts] of Object.entries(marks)) {
    for (const text of texts) {
      it(`is ${code} where it is ${JSON.stringify(text.slice(0, 50))}`, async () => {
        const { driver: first, path } = await temporaryStore()
        await first.backup({ volumeId: 'v' }, bytes)
        await writeFile(join(path, mark), text)
        await using driver = new PosixBackupDriver({ path, create: true })
        await expectCode(code as keyof typeof marks, driver.listBackups())
        await expectCode(code as keyof typeof marks, driver.createStore())
        expect(await readFile(join(path, mark), 'utf8')).toBe(text)
      })
    }
  }

  it('may have keys that this release does not know', async () => {
    const path = await temporaryDirectory()
    await writeFile(join(path, mark), '{"format":"stowage-posix-store","version":1,"colour":"green"}')
    expect(await new PosixBackupDriver({ path }).listBackups()).toEqual([])
  })

  it('is not a file that a link leads to', async () => {
    const path = await temporaryDirectory()
    await writeFile(join(path, 'elsewhere'), '{"format":"stowage-posix-store","version":1}')
    await symlink('elsewhere', join(path, mark))
    await expectCode('FORBIDDEN', new PosixBackupDriver({ path }).listBackups())
  })

  it('is in no listing, and cannot be read, written or deleted as an object', async () => {
    const { driver } = await temporaryStore()
    expect(await all(driver.getContainers({}))).toEqual([])
    await expectCode('OPTION_INVALID', driver.getObjectReader('c', mark, object))
    await expectCode('OPTION_INVALID', driver.deleteObject('c', mark, {}))
  })
})

it('createStore is refused after close, and makes nothing (A8)', async () => {
  const path = join(await temporaryDirectory(), 'store')
  const driver = new PosixBackupDriver({ path })
  await driver.close()
  await expectCode('CLOSED', driver.createStore())
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

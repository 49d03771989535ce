import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getBackupDriver, PosixBackupDriver } from '../src/index.js'
import { automaticContainer } from '../src/paths.js'
import {
  all,
  everything,
  expectCode,
  object,
  put,
  temporaryDirectory,
  temporaryStore,
} from './temporary-store.js'

const backupId = 'ab12cdef-0000-4000-8000-000000000001'
const isRoot = process.getuid?.() === 0

describe('names', () => {
  it('are those of Cinder: container, prefix and objects', async () => {
    const { driver, path } = await temporaryStore({ clock: () => new Date('2026-01-02T03:04:05.678Z') })
    const record = await driver.backup({ volumeId: 'v', backupId }, Buffer.alloc(5000, 1))
    expect(record.container).toBe(`ab/12/${backupId}`)
    expect(record.prefix).toBe(`volume_v_20260102030405_backup_${backupId}`)
    const ends = ['-00001', '-00002', '_metadata', '_sha256file']
    const objects = ends.map((end) => `ab/12/${backupId}/${record.prefix}${end}`)
    expect(await everything(path)).toEqual(['ab', 'ab/12', `ab/12/${backupId}`, ...objects])
  })

  it('have the container of the options, where there is one and the backup names none', async () => {
    const { driver } = await temporaryStore({ container: 'nightly' })
    expect((await driver.backup({ volumeId: 'v' }, Buffer.alloc(1))).container).toBe('nightly')
    expect((await driver.backup({ volumeId: 'v', container: 'own' }, Buffer.alloc(1))).container).toBe('own')
  })

  it('skip empty pieces of a short id', async () => {
    const { driver } = await temporaryStore()
    const record = await driver.backup({ volumeId: 'v', backupId: 'abc' }, Buffer.alloc(1))
    expect(record.container).toBe('ab/c/abc')
    expect((await driver.backup({ volumeId: 'v', backupId: 'a' }, Buffer.alloc(1))).container).toBe('a/a')
  })
})

describe('modes', () => {
  it('are 0770 and 0660 whatever the umask', async () => {
    const before = process.umask(0o077)
    onTestFinished(() => void process.umask(before))
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore({ path: join(outside, 'root') })
    const { container, prefix } = await driver.backup({ volumeId: 'v', backupId }, Buffer.alloc(10))
    const modeOf = async (name: string): Promise<number> => (await stat(join(path, name))).mode & 0o777
    for (const directory of ['.', 'ab', 'ab/12', container]) expect(await modeOf(directory)).toBe(0o770)
    for (const end of ['-00001', '_metadata', '_sha256file']) {
      expect(await modeOf(`${container}/${prefix}${end}`)).toBe(0o660)
    }
  })

  it('of directories that were there stay as they are', async () => {
    const { driver, path } = await temporaryStore()
    await mkdir(join(path, 'c'), { mode: 0o755 })
    await chmod(join(path, 'c'), 0o755)
    await driver.putContainer('c', {})
    expect((await stat(join(path, 'c'))).mode & 0o777).toBe(0o755)
  })
})

describe('a temporary file', () => {
  it('is a dot file in the container while an object is written, and gone after close and after abort', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    const [closed, aborted] = await Promise.all(
      ['x', 'y'].map((name) => driver.getObjectWriter('c', name, object)),
    )
    await closed!.write(Buffer.from('text'))
    const during = (await everything(path)).slice(1)
    expect(during).toHaveLength(2)
    for (const name of during) expect(name).toMatch(/^c\/\.stowage-[0-9a-f-]{36}\.tmp$/)
    await closed!.close()
    await aborted!.abort()
    expect(await everything(path)).toEqual(['c', 'c/x'])
  })

  it('that a crash left is not listed, and is no reason to look into its directory', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    await writeFile(join(path, 'c', '.stowage-crashed.tmp'), 'half')
    expect(await all(driver.getContainerEntries('c', '', {}))).toEqual([])
    expect(await all(driver.getContainers({}))).toEqual([])
  })
})

describe('containers', () => {
  it('are found at any depth, with the default one, and without dot directories', async () => {
    const { driver, path } = await temporaryStore({ container: 'default' })
    for (const container of ['a', 'b/c/d', 'empty', '.snapshot/a'])
      await mkdir(join(path, container), { recursive: true })
    for (const container of ['a', 'b/c/d', '.snapshot/a'])
      await writeFile(join(path, container, 'x_metadata'), '{}')
    expect(await all(driver.getContainers({}))).toEqual(['a', 'b/c/d', 'default'])
  })

  it('are found whatever the ids of their backups, also where one is above another', async () => {
    // Of so few letters many ids share directories, and some are the directory of others.
    const ids = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(ids, async (backupIds) => {
        const { driver, path } = await temporaryStore({ fsync: false })
        const containers = backupIds.map((id) => automaticContainer(id))
        for (const container of containers) {
          await driver.putContainer(container, {})
          await put(driver, container, 'volume_v_20260101000000_backup_x_metadata', '')
        }
        const reader = new PosixBackupDriver({ path })
        for (const everywhere of [false, true]) {
          expect(await all(reader.getContainers({ everywhere }))).toEqual(
            expect.arrayContaining([...new Set(containers)].sort()),
          )
        }
        for (const container of containers) {
          expect(await all(reader.getContainers({ only: container }))).toContain(container)
          expect(await all(reader.getContainerEntries(container, 'volume_v_', {}))).toHaveLength(1)
          expect(await all(reader.getContainerEntries(container, 'volume_w_', {}))).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are none in a new store', async () => {
    const { driver } = await temporaryStore()
    expect(await driver.listBackups()).toEqual([])
    expect(await all(driver.getContainerEntries('c', '', {}))).toEqual([])
  })

  it('are not looked for in what the file system keeps beside them', async () => {
    const { driver, path } = await temporaryStore()
    await mkdir(join(path, 'lost+found'))
    await writeFile(join(path, 'lost+found', 'x_metadata'), '{}')
    expect(await all(driver.getContainers({}))).toEqual([])
  })

  it('that were made for one backup go with its last object; those that were asked for stay', async () => {
    const { driver, path } = await temporaryStore()
    const own = await driver.backup({ volumeId: 'v', backupId }, Buffer.alloc(10))
    const named = await driver.backup({ volumeId: 'v', container: 'nightly' }, Buffer.alloc(10))
    await driver.deleteBackup(own)
    await driver.deleteBackup(named)
    expect(await everything(path)).toEqual(['nightly'])
  })

  it('that were made for one backup go when it failed before its first object, once the driver is closed', async () => {
    const { driver, path } = await temporaryStore()
    await driver.backup({ volumeId: 'v', backupId }, Buffer.alloc(10))
    const kept = await everything(path)
    await expectCode('SOURCE_EMPTY', driver.backup({ volumeId: 'v' }, Readable.from([])))
    await expectCode('SOURCE_EMPTY', driver.backup({ volumeId: 'v', container: 'named' }, Readable.from([])))
    await driver.close()
    expect(await everything(path)).toEqual([...kept, 'named'].sort())
  })

  it('that were made for one backup, and stayed empty when it was killed, go with temporary files', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('ab/cd/abcd-1', {})
    await driver.putContainer('named', {})
    const remove = (olderThan: Date, dryRun = false): Promise<unknown> =>
      driver.removeTemporaries({ olderThan, dryRun })
    await remove(new Date(0))
    await remove(new Date(Date.now() + 60_000), true)
    expect(await everything(path)).toContain('ab/cd/abcd-1')
    expect(await remove(new Date(Date.now() + 60_000))).toEqual([])
    expect(await everything(path)).toEqual(['named'])
  })

  it('are made while another delete removes their empty parents', async () => {
    const { driver, path } = await temporaryStore({ fsync: false })
    const containers = Array.from({ length: 40 }, (_, n) => `ab/cd/abcd-${n}`)
    const comeAndGo = async (container: string): Promise<void> => {
      await driver.putContainer(container, {})
      await put(driver, container, 'x', 'text')
      await driver.deleteObject(container, 'x', {})
    }
    await Promise.all(containers.map(comeAndGo))
    expect(await everything(path)).toEqual([])
  })
})

describe('what is in the way', () => {
  it('is NOT_A_FILE: a directory where an object should be', async () => {
    const { driver, path } = await temporaryStore()
    await mkdir(join(path, 'c', 'x'), { recursive: true })
    await expectCode('NOT_A_FILE', driver.getObjectReader('c', 'x', object))
    await expectCode('NOT_A_FILE', put(driver, 'c', 'x', 'text'))
    expect(await driver.objectExists('c', 'x', {})).toBe(false)
  })

  it('is NOT_A_FILE: a file where a container, or the root, should be', async () => {
    const { driver, path } = await temporaryStore()
    await writeFile(join(path, 'c'), '')
    await expectCode('NOT_A_FILE', driver.putContainer('c', {}))
    await expectCode('NOT_A_FILE', driver.putContainer('c/d', {}))
    await expectCode('NOT_A_FILE', all(driver.getContainerEntries('c', '', {})))
    const { driver: below } = await temporaryStore({ path: join(path, 'c') })
    await expectCode('NOT_A_FILE', all(below.getContainers({})))
    await expectCode('NOT_A_FILE', below.getObjectReader('d', 'x', object))
  })

  it('is NOT_A_FILE at once: a FIFO, which would wait for a writer', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    execFileSync('mkfifo', [join(path, 'c', 'x')])
    await expectCode('NOT_A_FILE', driver.getObjectReader('c', 'x', object))
  })
})

describe('what the system refuses', () => {
  it('is OBJECT_CORRUPT when a file is cut short while it is read', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    await put(driver, 'c', 'x', 'some text')
    const reader = await driver.getObjectReader('c', 'x', object)
    onTestFinished(() => reader.close())
    await writeFile(join(path, 'c', 'x'), 'some')
    await expectCode('OBJECT_CORRUPT', reader.read())
  })

  it.skipIf(isRoot)('is FORBIDDEN in a directory without the right to write', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    await chmod(join(path, 'c'), 0o550)
    await expectCode('FORBIDDEN', driver.getObjectWriter('c', 'x', object))
    await chmod(join(path, 'c'), 0o770)
  })
})

describe('checkForSetupError', () => {
  it('makes a missing root where `create` is set, and leaves nothing but the mark in it', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore({ path: join(outside, 'a', 'root') })
    await driver.checkForSetupError()
    expect(await everything(path)).toEqual([])
  })

  it('rejects when the root is a file', async () => {
    const outside = await temporaryDirectory()
    await writeFile(join(outside, 'root'), 'text')
    const { driver } = await temporaryStore({ path: join(outside, 'root') })
    await expectCode('NOT_A_FILE', driver.checkForSetupError())
    expect(await readFile(join(outside, 'root'), 'utf8')).toBe('text')
  })
})

describe('getBackupDriver', () => {
  it('gives a driver with files of 50 MiB, and of Cinder’s size where it is strict', async () => {
    await using driver = await getBackupDriver({ path: '/nowhere' })
    expect([driver.chunkSizeBytes, driver.blockSizeBytes, driver.defaultContainer]).toEqual([
      52428800,
      32768,
      null,
    ])
    await using strict = await getBackupDriver({ path: '/nowhere', strict: 'cinder' })
    expect(strict.chunkSizeBytes).toBe(1999994880)
    expect(driver.serviceName).toBe('cinder.backup.drivers.posix.PosixBackupDriver')
  })

  for (const options of [{ path: '' }, { path: 'a\0b' }, { path: 7 }, { path: '/x', fsync: 'yes' }]) {
    it(`rejects ${JSON.stringify(options)} with OPTION_INVALID`, async () => {
      await expectCode('OPTION_INVALID', getBackupDriver(options as never))
    })
  }
})

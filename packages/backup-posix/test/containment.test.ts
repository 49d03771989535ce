import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PosixBackupDriver } from '../src/index.js'
import {
  all,
  everything,
  expectCode,
  object,
  put,
  temporaryDirectory,
  temporaryStore,
} from './temporary-store.js'

const hostileContainers = [
  '..',
  '../x',
  'a/../../x',
  '/etc',
  '',
  'a//b',
  'a/',
  '.',
  './a',
  'a\0b',
  '\ud800',
  'x'.repeat(256),
]
const hostileObjects = [
  '..',
  '../x',
  '/etc/passwd',
  '',
  'a/b',
  '.',
  '.hidden',
  'a\0b',
  '\udfff',
  'é'.repeat(128),
]

describe('a container name that could lead out of the root', () => {
  for (const container of hostileContainers) {
    it(`${JSON.stringify(container.slice(0, 12))} is refused by every hook, and nothing is touched`, async () => {
      const outside = await temporaryDirectory()
      const { driver, path } = await temporaryStore({ path: join(outside, 'root') })
      await mkdir(path)
      await writeFile(join(outside, 'x'), 'precious')
      await expectCode('OPTION_INVALID', driver.putContainer(container, {}))
      await expectCode('OPTION_INVALID', all(driver.getContainerEntries(container, '', {})))
      await expectCode('OPTION_INVALID', driver.getObjectWriter(container, 'x', object))
      await expectCode('OPTION_INVALID', driver.getObjectReader(container, 'x', object))
      await expectCode('OPTION_INVALID', driver.deleteObject(container, 'x', {}))
      await expectCode('OPTION_INVALID', driver.objectExists(container, 'x', {}))
      expect(await everything(outside)).toEqual(['root', 'x'])
    })
  }

  it('is refused as a default at construction', () => {
    expect(() => new PosixBackupDriver({ path: '/nowhere', container: '../x' })).toThrow(/"\.\.\/x"/)
  })

  it('is refused when it would be where nobody looks for backups', async () => {
    const { driver, path } = await temporaryStore()
    await expectCode('OPTION_INVALID', driver.putContainer('a/.snapshot', {}))
    expect(await everything(path)).toEqual([])
  })
})

describe('an object name that could lead out of its container', () => {
  for (const name of hostileObjects) {
    it(`${JSON.stringify(name.slice(0, 12))} is refused by every hook, and nothing is touched`, async () => {
      const { driver, path } = await temporaryStore()
      await driver.putContainer('c', {})
      await writeFile(join(path, 'x'), 'precious')
      await expectCode('OPTION_INVALID', driver.getObjectWriter('c', name, object))
      await expectCode('OPTION_INVALID', driver.getObjectReader('c', name, object))
      await expectCode('OPTION_INVALID', driver.deleteObject('c', name, {}))
      await expectCode('OPTION_INVALID', driver.objectExists('c', name, {}))
      expect(await everything(path)).toEqual(['c', 'x'])
    })
  }

  for (const volumeId of ['../../etc', 'a/b', 'a\0b', 'x'.repeat(200)]) {
    it(`is refused before anything is written when it comes of the volume id ${JSON.stringify(volumeId.slice(0, 12))}`, async () => {
      const { driver, path } = await temporaryStore()
      await expectCode('OPTION_INVALID', driver.backup({ volumeId }, Buffer.alloc(10)))
      expect(await everything(path)).toEqual([])
    })
  }
})

describe('a symbolic link below the root', () => {
  it('is refused as a container, though it leads to a directory', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    await symlink(outside, join(path, 'link'))
    await writeFile(join(outside, 'x'), 'precious')
    for (const container of ['link', 'link/below']) {
      await expectCode('FORBIDDEN', driver.putContainer(container, {}))
      await expectCode('FORBIDDEN', all(driver.getContainerEntries(container, '', {})))
      await expectCode('FORBIDDEN', driver.getObjectWriter(container, 'y', object))
      await expectCode('FORBIDDEN', driver.getObjectReader(container, 'x', object))
      await expectCode('FORBIDDEN', driver.deleteObject(container, 'x', {}))
      await expectCode('FORBIDDEN', driver.objectExists(container, 'x', {}))
    }
    expect(await everything(outside)).toEqual(['x'])
  })

  it('is not read as an object, nor listed, nor found', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    await writeFile(join(outside, 'secret'), 'precious')
    await symlink(join(outside, 'secret'), join(path, 'c', 'x'))
    await expectCode('FORBIDDEN', driver.getObjectReader('c', 'x', object))
    expect(await all(driver.getContainerEntries('c', '', {}))).toEqual([])
    expect(await driver.objectExists('c', 'x', {})).toBe(false)
  })

  it('is replaced by a writer and removed by a delete, and what it leads to stays', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    await writeFile(join(outside, 'secret'), 'precious')
    await symlink(join(outside, 'secret'), join(path, 'c', 'x'))
    await symlink(join(outside, 'secret'), join(path, 'c', 'y'))
    await put(driver, 'c', 'x', 'new')
    await driver.deleteObject('c', 'y', {})
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('precious')
    expect(await readFile(join(path, 'c', 'x'), 'utf8')).toBe('new')
  })

  it('is named as a container where it leads out or to nothing, and not followed (C6)', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    await writeFile(join(outside, 'volume_x_metadata'), '{}')
    await mkdir(join(path, 'c'))
    await writeFile(join(path, 'c', 'x_metadata'), '{}')
    await symlink(outside, join(path, 'link'))
    await symlink(outside, join(path, 'c', 'link'))
    await symlink('/nowhere/at/all', join(path, 'unmounted'))
    // What these lead to is searched under its own name, or is no directory.
    await symlink('c', join(path, 'latest'))
    await symlink(join(outside, 'volume_x_metadata'), join(path, 'file'))
    expect(await all(driver.getContainers({}))).toEqual(['c', 'c/link', 'link', 'unmounted'])
    await expectCode('FORBIDDEN', all(driver.getContainerEntries('link', '', {})))
  })

  it('may be the root itself', async () => {
    const real = await temporaryDirectory()
    const outside = await temporaryDirectory()
    await symlink(real, join(outside, 'root'))
    const { driver } = await temporaryStore({ path: join(outside, 'root') })
    await driver.putContainer('c', {})
    await put(driver, 'c', 'x', 'text')
    expect(await everything(real)).toEqual(['c', 'c/x'])
  })
})

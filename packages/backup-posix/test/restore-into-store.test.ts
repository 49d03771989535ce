import { fileVolume } from '@stowage/backup-core'
import { link, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectCode, temporaryDirectory, temporaryStore } from './temporary-store.js'

describe('a restore into the directory of its own store', () => {
  it('is refused, whatever the path looks like, and leaves the backup whole', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    const volume = Buffer.from('a volume'.repeat(1000))
    const backup = await driver.backup({ volumeId: 'v' }, volume)
    const chunk = join(path, backup.container, `${backup.prefix}-00001`)
    await symlink(chunk, join(outside, 'link-to-an-object'))
    await symlink(path, join(outside, 'link-to-the-store'))
    const targets = [
      chunk,
      join(path, 'new.img'),
      join(path, 'missing', '..', 'new.img'),
      join(outside, 'link-to-an-object'),
      join(outside, 'link-to-the-store', 'new.img'),
    ]
    for (const target of targets) {
      await expectCode('OPTION_INVALID', driver.restore(backup, fileVolume(target), { overwrite: true }))
    }
    await driver.verify(backup, { level: 'full' })
  })

  it('is refused by the name of a hard link, also to an object of another backup (A8)', async () => {
    const outside = await temporaryDirectory()
    const { driver, path } = await temporaryStore()
    const other = await driver.backup({ volumeId: 'v' }, Buffer.from('another volume'))
    const backup = await driver.backup({ volumeId: 'v' }, Buffer.from('a volume'))
    const target = join(outside, 'hard-link.img')
    await link(join(path, other.container, `${other.prefix}-00001`), target)
    const restore = driver.restore(backup, fileVolume(target), { overwrite: true })
    await expectCode('OPTION_INVALID', restore)
    await driver.verify(other, { level: 'full' })
  })

  it('is not what a hard link to another file is', async () => {
    const outside = await temporaryDirectory()
    const { driver } = await temporaryStore()
    const backup = await driver.backup({ volumeId: 'v' }, Buffer.from('a volume'))
    await writeFile(join(outside, 'one.img'), 'old')
    await link(join(outside, 'one.img'), join(outside, 'two.img'))
    await driver.restore(backup, fileVolume(join(outside, 'two.img')), { overwrite: true })
    expect(await readFile(join(outside, 'one.img'), 'utf8')).toBe('a volume')
  })

  it('is not what a file beside the store is, although its path begins alike', async () => {
    const { driver, path } = await temporaryStore({ path: join(await temporaryDirectory(), 'store') })
    const backup = await driver.backup({ volumeId: 'v' }, Buffer.from('a volume'))
    await driver.restore(backup, fileVolume(`${path}-restored.img`))
    await driver.restore(backup, fileVolume(join(path, '..', '..restored.img')))
    expect(await readFile(`${path}-restored.img`, 'utf8')).toBe('a volume')
  })
})

import { chmod, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { everything, expectCode, temporaryDirectory, temporaryStore } from './temporary-store.js'
import { PosixBackupDriver } from '../src/index.js'

const old = new Date('2026-01-01T00:00:00Z')
const between = new Date('2026-06-01T00:00:00Z')

async function leave(path: string, modified: Date): Promise<void> {
  await writeFile(path, 'half')
  await utimes(path, modified, modified)
}

const uuid = '00000000-0000-4000-8000-000000000001'

describe('removeTemporaries (C1)', () => {
  it('removes what killed programs left long ago, with the containers that nothing else holds', async () => {
    const { driver, path } = await temporaryStore()
    await driver.backup({ volumeId: 'v', container: 'nightly' }, Buffer.alloc(10))
    const before = await everything(path)
    await mkdir(join(path, 'ab/12', 'ab12'), { recursive: true })
    await leave(join(path, 'ab/12/ab12', `.stowage-${uuid}.tmp`), old)
    await leave(join(path, 'nightly', '.stowage-0123456789abcdef.lock'), old)
    await leave(join(path, `.stowage-${uuid}.probe`), old)
    const expected = [
      { container: '', name: `.stowage-${uuid}.probe`, sizeBytes: 4, modifiedAt: old },
      { container: 'ab/12/ab12', name: `.stowage-${uuid}.tmp`, sizeBytes: 4, modifiedAt: old },
      { container: 'nightly', name: '.stowage-0123456789abcdef.lock', sizeBytes: 4, modifiedAt: old },
    ]
    const found = await driver.removeTemporaries({ olderThan: between, dryRun: true })
    expect(found.sort((a, b) => a.container.localeCompare(b.container))).toEqual(expected)
    expect(await everything(path)).not.toEqual(before)
    const removed = await driver.removeTemporaries({ olderThan: between })
    expect(removed.sort((a, b) => a.container.localeCompare(b.container))).toEqual(expected)
    expect(await everything(path)).toEqual(before)
    expect(await driver.removeTemporaries({ olderThan: between })).toEqual([])
  })

  it.skipIf(process.getuid?.() === 0)('passes over a directory that this user may not read', async () => {
    const { driver, path } = await temporaryStore()
    await leave(join(path, `.stowage-${uuid}.probe`), old)
    await mkdir(join(path, 'private'), { mode: 0o000 })
    onTestFinished(() => chmod(join(path, 'private'), 0o770))
    expect(await driver.removeTemporaries({ olderThan: between })).toHaveLength(1)
  })

  it('leaves what is younger, what is not its own, and what links lead to', async () => {
    const outside = await temporaryDirectory()
    await leave(join(outside, `.stowage-${uuid}.tmp`), old)
    const { driver, path } = await temporaryStore()
    await utimes(join(path, '.stowage-store'), old, old)
    await mkdir(join(path, 'c'))
    await mkdir(join(path, '.snapshot'))
    await symlink(outside, join(path, 'link'))
    await leave(join(path, 'c', `.stowage-${uuid}.tmp`), new Date('2026-12-01T00:00:00Z'))
    await leave(join(path, 'c', '.hidden.tmp'), old)
    await leave(join(path, 'c', 'x_metadata'), old)
    await leave(join(path, '.snapshot', `.stowage-${uuid}.tmp`), old)
    const before = await readdir(path, { recursive: true })
    expect(await driver.removeTemporaries({ olderThan: between })).toEqual([])
    expect(await readdir(path, { recursive: true })).toEqual(before)
    expect(await readdir(outside)).toHaveLength(1)
  })

  it('rejects with STORE_MISSING where there is no store', async () => {
    await using driver = new PosixBackupDriver({ path: await temporaryDirectory() })
    await expectCode('STORE_MISSING', driver.removeTemporaries({ olderThan: between }))
  })
})

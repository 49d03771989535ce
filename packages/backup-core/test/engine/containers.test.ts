import { describe, expect, it } from 'vitest'
import { bufferVolume } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const before = seededBytes(9000)
const after = changed(before, 100, 700)

/** A store that cannot list its containers: it knows its default one, as a Swift user without that right. */
class NarrowDriver extends MemoryBackupDriver {
  override async *getContainers(): AsyncGenerator<string> {
    yield 'volumebackups'
  }
}

const driver = (): NarrowDriver => new NarrowDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })

describe('a chain in a container that the store does not list', () => {
  it('is made, verified and restored by records', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume', container: 'elsewhere' }, before)
    const next = await narrow.backup({ volumeId: 'volume', container: 'elsewhere', parent: full }, after)
    await narrow.verify(next, { level: 'full' })
    const target = bufferVolume()
    await narrow.restore(next, target)
    expect(Buffer.compare(target.bytes, after)).toBe(0)
  })

  it('is continued by asking for an incremental in that container', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume', container: 'elsewhere' }, before)
    const next = await narrow.backup({ volumeId: 'volume', container: 'elsewhere', incremental: true }, after)
    expect(next.parentId).toBe(full.id)
  })

  it('is not deleted from under an incremental', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume', container: 'elsewhere' }, before)
    await narrow.backup({ volumeId: 'volume', container: 'elsewhere', parent: full }, after)
    await expect(narrow.deleteBackup(full)).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
  })

  it('keeps its ids to itself', async () => {
    const narrow = driver()
    await narrow.backup({ volumeId: 'volume', container: 'elsewhere', backupId: 'one' }, before)
    await expect(
      narrow.backup({ volumeId: 'volume', container: 'elsewhere', backupId: 'one' }, after),
    ).rejects.toMatchObject({ code: 'BACKUP_EXISTS' })
  })

  it('is listed when its container is named', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume', container: 'elsewhere' }, before)
    expect(await narrow.listBackups()).toEqual([])
    expect((await narrow.listBackups({ container: 'elsewhere' })).map(({ id }) => id)).toEqual([full.id])
  })
})

import { describe, expect, it } from 'vitest'
import { bufferVolume } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
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

describe('an incremental that a delete of its parent would not find', () => {
  it('is refused before anything is written where the driver does not list containers (A1)', async () => {
    const memory = new (class extends MemoryBackupDriver {
      override readonly capabilities = { streamingReads: true, rangedReads: true, exclusiveCreate: true }
    })({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    const full = await memory.backup({ volumeId: 'volume' }, before)
    await expect(
      memory.backup({ volumeId: 'volume', container: 'elsewhere', parent: full }, after),
    ).rejects.toThrow('does not search both')
    expect(memory.store.containers()).toEqual(['volumebackups'])
  })

  it('is refused before anything is written where the container of its parent is not listed (A1)', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume', container: 'elsewhere' }, before)
    await expect(narrow.backup({ volumeId: 'volume', parent: full }, after)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
    expect(narrow.store.containers()).toEqual(['elsewhere'])
  })

  it('is refused, and leaves nothing, where its own container is not listed (A1)', async () => {
    const narrow = driver()
    const full = await narrow.backup({ volumeId: 'volume' }, before)
    await expect(
      narrow.backup({ volumeId: 'volume', container: 'elsewhere', parent: full }, after),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    expect(narrow.store.list('elsewhere')).toEqual([])
  })

  it('is made in a container of its own where the driver lists all of them (A1)', async () => {
    const memory = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    const full = await memory.backup({ volumeId: 'volume' }, before)
    const next = await memory.backup({ volumeId: 'volume', container: 'elsewhere', parent: full }, after)
    await expect(memory.deleteBackup(full)).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
    await memory.verify(next.id, { level: 'full' })
  })
})

describe('an operation on a chain', () => {
  it('lists each container once and reads each manifest once, however long the chain is', async () => {
    const memory = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    for (let index = 0; index < 6; index += 1) {
      await memory.backup(
        { volumeId: 'volume', incremental: true },
        changed(before, index * 1000, index * 1000 + 9),
      )
    }
    const newest = (await memory.listBackups()).at(-1)!
    for (const operation of ['restore', 'verify', 'getChain', 'getBackup'] as const) {
      const counted = new FaultyBackupDriver(memory)
      if (operation === 'restore') await counted.restore(newest.id, bufferVolume())
      else await counted[operation](newest.id)
      // A backup states its own size: no other has to be read for it.
      expect(counted.count('getObjectReader', /_metadata$/), operation).toBe(
        operation === 'getBackup' ? 1 : 6,
      )
      expect(counted.count('getContainers'), operation).toBe(1)
    }
  })
})

describe('a backup whose metadata cannot be read', () => {
  it('is distinguished from one that does not exist', async () => {
    const memory = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    const full = await memory.backup({ volumeId: 'volume', backupId: 'full' }, before)
    const next = await memory.backup({ volumeId: 'volume', backupId: 'next', parent: full }, after)
    const name = `${full.prefix}_metadata`
    const text = Buffer.from(memory.store.get('volumebackups', name)!).toString()
    memory.store.set('volumebackups', name, Buffer.from(text.replace('"version": "1.0.0"', '"version": "7"')))
    for (const id of ['full', next.id]) {
      await expect(memory.restore(id, bufferVolume()), id).rejects.toMatchObject({
        code: 'VERSION_UNSUPPORTED',
        message: expect.stringContaining('No support to restore backup version 7') as string,
      })
    }
    memory.store.set('volumebackups', name, Buffer.from(text.slice(0, 200)))
    await expect(memory.verify('full')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
    await expect(memory.verify('nobody')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' })
  })
})

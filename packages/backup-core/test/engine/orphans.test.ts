import { describe, expect, it } from 'vitest'
import { bufferVolume, type Orphan } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import type { MemoryStore } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(9000)
const after = changed(before, 100, 700)
const hourMs = 60 * 60 * 1000

/** Makes every object that there is now so many hours old. */
function age(store: MemoryStore, hours: number): void {
  for (const name of store.list(container)) {
    store.setModifiedAt(container, name, new Date(Date.now() - hours * hourMs))
  }
}

/** A backup that is killed before it writes an object, and never goes on. */
async function killedBackup(store: MemoryStore, object: RegExp, backupId = 'killed'): Promise<void> {
  await new Promise<void>((resolve) => {
    const die = fault.run('writer.close', {
      object,
      run: async () => {
        resolve()
        await new Promise<void>(() => undefined)
      },
    })
    const driver = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }), { faults: [die] })
    void driver.backup({ volumeId: 'volume', backupId }, after)
  })
}

const outcomes = (orphans: readonly Orphan[]): string[] =>
  orphans.map(({ kind, backupId, outcome }) => `${kind} of ${backupId ?? '?'}: ${outcome}`).sort()

describe('removeOrphans', () => {
  it('removes the objects and the claim of a killed backup, and nothing else (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    const names = driver.store.list(container)
    await killedBackup(driver.store, /_sha256file$/)
    age(driver.store, 25)
    const { orphans, objectsRemoved } = await driver.removeOrphans()
    expect(outcomes(orphans)).toEqual(['claim of killed: removed', 'objects of killed: removed'])
    expect(objectsRemoved).toBe(6)
    expect(driver.store.list(container)).toEqual(names)
    expect(await driver.removeOrphans()).toEqual({ orphans: [], objectsRemoved: 0 })
  })

  it('finds them in a dry run, and removes nothing (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await killedBackup(driver.store, /_sha256file$/)
    age(driver.store, 25)
    const names = driver.store.list(container)
    const { orphans, objectsRemoved } = await driver.removeOrphans({ dryRun: true })
    expect(outcomes(orphans)).toEqual(['claim of killed: found', 'objects of killed: found'])
    expect(objectsRemoved).toBe(0)
    expect(driver.store.list(container)).toEqual(names)
  })

  it('keeps all objects of a prefix while the newest is young, and its claim: a backup may run for days (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await killedBackup(driver.store, /_sha256file$/)
    age(driver.store, 72)
    const newest = driver.store.list(container).find((name) => name.endsWith('-00003'))!
    driver.store.setModifiedAt(container, newest, new Date(Date.now() - 23 * hourMs))
    const names = driver.store.list(container)
    const { orphans } = await driver.removeOrphans()
    expect(outcomes(orphans)).toEqual(['claim of killed: kept', 'objects of killed: kept'])
    expect(driver.store.list(container)).toEqual(names)
    expect(outcomes((await driver.removeOrphans({ olderThanMs: 22 * hourMs })).orphans)).toEqual([
      'claim of killed: removed',
      'objects of killed: removed',
    ])
  })

  it('touches nothing of a backup whose metadata is damaged, hidden, or no object that can be read (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    driver.store.set(container, `${full.prefix}_metadata`, new Uint8Array())
    const names = driver.store.list(container)
    expect(await driver.removeOrphans({ olderThanMs: 0 })).toEqual({ orphans: [], objectsRemoved: 0 })
    const hidden = new FaultyBackupDriver(driver, { faults: [fault.hide({ names: /_metadata$/ })] })
    expect(await hidden.removeOrphans({ olderThanMs: 0 })).toEqual({ orphans: [], objectsRemoved: 0 })
    expect(driver.store.list(container)).toEqual(names)
  })

  it('touches no names that are not those of a backup (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const names = [
      'IMG-00001',
      'photos/2026-00042',
      'x_sha256file',
      'stowage-claim_',
      'stowage-deleting_',
      'a b',
    ]
    for (const name of names) driver.store.set(container, name, new Uint8Array(3))
    expect(await driver.removeOrphans({ olderThanMs: 0 })).toEqual({ orphans: [], objectsRemoved: 0 })
    expect(driver.store.list(container)).toEqual(names)
  })

  it('reports orphans of a store without modification times, and removes them where the caller says 0 (C1)', async () => {
    const driver = new (class extends MemoryBackupDriver {
      override readonly capabilities = { streamingReads: true, rangedReads: true, containerListing: true }
    })(sizes)
    await killedBackup(driver.store, /_sha256file$/)
    const { orphans } = await driver.removeOrphans({ olderThanMs: 1 })
    expect(outcomes(orphans)).toEqual(['claim of killed: kept', 'objects of killed: kept'])
    expect(orphans.every(({ modifiedAt }) => modifiedAt === null)).toBe(true)
    await driver.removeOrphans({ olderThanMs: 0 })
    expect(driver.store.list(container)).toEqual([])
  })

  it('removes the objects of a committed backup’s claim alone, which a killed run left (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const faulty = new FaultyBackupDriver(driver, {
      faults: [fault.fail('deleteObject', { object: /^stowage-claim_/ })],
    })
    await faulty.backup({ volumeId: 'volume', backupId: 'full' }, before)
    age(driver.store, 25)
    expect(outcomes((await driver.removeOrphans()).orphans)).toEqual(['claim of full: removed'])
    await driver.verify('full', { level: 'full' })
  })

  it('finishes a delete that was killed, and takes it back where an incremental depends on it (C1)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    await driver.backup({ volumeId: 'volume', backupId: 'next', parent: 'full' }, after)
    const names = [...driver.store.list(container)].sort()
    const child = driver.store.list(container).find((name) => name.endsWith('backup_next_metadata'))!
    const bytes = Uint8Array.from(driver.store.get(container, child)!)
    driver.store.delete(container, child)
    // Killed before it searched once more; the incremental was committed before.
    await new Promise<void>((resolve) => {
      const die = fault.run('getContainerEntries', {
        run: async () => {
          if (driver.store.list(container).some((name) => name.endsWith('backup_full_metadata'))) return
          resolve()
          await new Promise<void>(() => undefined)
        },
      })
      void new FaultyBackupDriver(driver, { faults: [die] }).deleteBackup('full')
    })
    driver.store.set(container, child, bytes)
    age(driver.store, 25)
    expect(outcomes((await driver.removeOrphans()).orphans)).toEqual(['marker of full: kept'])
    expect([...driver.store.list(container)].sort()).toEqual(names)
    const target = bufferVolume()
    await driver.restore('next', target)
    expect(Buffer.compare(target.bytes, after)).toBe(0)

    const faulty = new FaultyBackupDriver(driver, {
      faults: [fault.fail('deleteObject', { object: /_sha256file$/ })],
    })
    await expect(faulty.deleteBackup('next')).rejects.toMatchObject({ code: 'DELETE_INCOMPLETE' })
    age(driver.store, 25)
    expect(outcomes((await driver.removeOrphans()).orphans)).toEqual(['marker of next: finished'])
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
    await driver.verify('full', { level: 'full' })
  })

  it('refuses an age that is not one', async () => {
    const driver = new MemoryBackupDriver(sizes)
    for (const olderThanMs of [-1, NaN, Infinity]) {
      await expect(driver.removeOrphans({ olderThanMs })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    }
  })
})

describe('a backup that runs', () => {
  it.each<[string, (other: MemoryBackupDriver) => Promise<unknown>]>([
    ['the removal of orphans', (other) => other.removeOrphans({ olderThanMs: 0 })],
    ['a delete with `force`', (other) => other.deleteBackup('running', { force: true })],
  ])('is not committed where %s took what it had stored (C1)', async (_what, take) => {
    const memory = new MemoryBackupDriver(sizes)
    const driver = new FaultyBackupDriver(memory, {
      faults: [
        fault.run('writer.close', {
          object: /_sha256file$/,
          run: async () => {
            await take(memory)
          },
        }),
      ],
    })
    await expect(driver.backup({ volumeId: 'volume', backupId: 'running' }, before)).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    })
    expect(memory.store.list(container)).toEqual([])
  })
})

describe('an unreadable object with the name of a marker', () => {
  const name = `stowage-deleting_nobody_${'0'.repeat(32)}.v1`

  it('hides no dependent where no object has the id, and is removed when it is old (C1, A2)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    driver.store.set('other', name, Buffer.from('{}'))
    await driver.deleteBackup('full')
    expect(driver.store.list(container)).toEqual([])
    expect(outcomes((await driver.removeOrphans()).orphans)).toEqual(['marker of nobody: kept'])
    driver.store.setModifiedAt('other', name, new Date(Date.now() - 25 * hourMs))
    expect(outcomes((await driver.removeOrphans()).orphans)).toEqual(['marker of nobody: removed'])
    expect(driver.store.list('other')).toEqual([])
  })

  it('may hide one where objects have the id, and is kept (A2)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    driver.store.set('other', name, Buffer.from('{}'))
    driver.store.set('other', 'volume_v/20260101000000/backup_nobody-00001', new Uint8Array(3))
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
    driver.store.setModifiedAt('other', name, new Date(Date.now() - 25 * hourMs))
    const { orphans } = await driver.removeOrphans({ olderThanMs: hourMs })
    expect(outcomes(orphans)).toContain('marker of nobody: kept')
  })
})

import { describe, expect, it } from 'vitest'
import {
  BackupError,
  bufferVolume,
  type BackupErrorCode,
  type BackupRecord,
  type ContainerOptions,
} from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(9000)
const after = changed(before, 100, 700)

interface Scene {
  readonly driver: MemoryBackupDriver
  readonly full: BackupRecord
  readonly next: BackupRecord
  readonly warnings: string[]
}

async function scene(): Promise<Scene> {
  const warnings: string[] = []
  const driver = new MemoryBackupDriver({ ...sizes, onWarning: ({ code }) => warnings.push(code) })
  const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
  const next = await driver.backup({ volumeId: 'volume', backupId: 'next', parent: full }, after)
  return { driver, full, next, warnings }
}

const planned = (code: BackupErrorCode): BackupError => new BackupError(code, 'A planned fault.')

const metadataOf = ({ prefix }: BackupRecord): string => `${prefix}_metadata`

function damage({ store }: MemoryBackupDriver, record: BackupRecord): Uint8Array {
  const good = Uint8Array.from(store.get(container, metadataOf(record))!)
  store.set(container, metadataOf(record), good.subarray(0, 300))
  return good
}

describe('a backup whose possible dependents cannot be read', () => {
  it.each([
    ['is cut short', (text: string) => text.slice(0, 300)],
    ['is of a newer version', (text: string) => text.replace('"version": "1.0.0"', '"version": "1.1.0"')],
  ])('is not deleted while the metadata of an incremental %s (A2)', async (_what, change) => {
    const { driver, full, next } = await scene()
    const good = Buffer.from(driver.store.get(container, metadataOf(next))!)
    driver.store.set(container, metadataOf(next), Buffer.from(change(good.toString())))
    const names = driver.store.list(container)
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({
      code: 'DEPENDENTS_UNKNOWN',
      details: { unreadable: [metadataOf(next)] },
    })
    await expect(driver.deleteBackup(full, { withDescendants: true })).rejects.toMatchObject({
      code: 'DEPENDENTS_UNKNOWN',
    })
    expect(driver.store.list(container)).toEqual(names)
    driver.store.set(container, metadataOf(next), good)
    await driver.verify('next', { level: 'full' })
  })

  it('is not deleted while an object or a container cannot be read for another reason (A2)', async () => {
    for (const code of ['NOT_A_FILE', 'FORBIDDEN', 'OBJECT_CORRUPT', 'STORE_FAILED'] as const) {
      const { driver, next } = await scene()
      const error = planned(code)
      const faulty = new FaultyBackupDriver(driver, {
        faults: [fault.fail('getObjectReader', { object: metadataOf(next), error })],
      })
      await expect(faulty.deleteBackup('full'), code).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
    }
    const { driver } = await scene()
    driver.store.createContainer('elsewhere')
    const unlisted = new (class extends FaultyBackupDriver {
      override async *getContainerEntries(name: string, ...rest: [string, object]): AsyncGenerator<string> {
        if (name === 'elsewhere') throw planned('FORBIDDEN')
        yield* super.getContainerEntries(name, ...rest)
      }
    })(driver)
    await expect(unlisted.deleteBackup('next')).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
  })

  it('is not deleted while the containers cannot be listed, unless `force` is set (A1)', async () => {
    for (const code of ['FORBIDDEN', 'STORE_FAILED'] as const) {
      const { driver, warnings } = await scene()
      const unlisted = new (class extends FaultyBackupDriver {
        override async *getContainers(options: ContainerOptions): AsyncGenerator<string> {
          yield* super.getContainers(options)
          if (options.everywhere === true) throw planned(code)
        }
      })(driver, { onWarning: (warning) => warnings.push(warning.code) })
      const refused = unlisted.deleteBackup('next')
      await expect(refused).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
      await expect(refused).rejects.toThrow(/The first: the list of containers: A planned fault/)
      await unlisted.deleteBackup('next', { force: true })
      expect(warnings).toEqual(['DEPENDENT_IGNORED'])
      await expect(unlisted.deleteBackup('full', { withDescendants: true })).rejects.toMatchObject({
        code: 'DEPENDENTS_UNKNOWN',
      })
    }
  })

  it.each([
    ['first search', 'full', 1],
    // It comes after `_metadata` was removed, which is then put back.
    ['second search', 'next', 2],
  ] as const)(
    'is not deleted while its %s finds the listing of its own container empty (A1)',
    { timeout: 30_000 },
    async (_search, which, emptyFrom) => {
      const made = await scene()
      let listings = 0
      const blind = new (class extends FaultyBackupDriver {
        override async *getContainerEntries(...call: [string, string, object]): AsyncGenerator<string> {
          listings += 1
          if (listings < emptyFrom) yield* super.getContainerEntries(...call)
        }
      })(made.driver)
      await expect(blind.deleteBackup(made[which])).rejects.toMatchObject({
        code: 'DEPENDENTS_UNKNOWN',
        message: expect.stringContaining(
          'container volumebackups for incrementals: its listing is empty',
        ) as string,
      })
      await made.driver.verify('next', { level: 'full' })
    },
  )

  it('finds its incremental in a listing that is empty at first (A1)', async () => {
    const { driver, full } = await scene()
    let listings = 0
    const blind = new (class extends FaultyBackupDriver {
      override async *getContainerEntries(...call: [string, string, object]): AsyncGenerator<string> {
        listings += 1
        if (listings > 1) yield* super.getContainerEntries(...call)
      }
    })(driver)
    await expect(blind.deleteBackup(full)).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
  })

  it('is gone already, with its container: deleting its record succeeds', async () => {
    const { driver, full, next } = await scene()
    for (const name of driver.store.list(container)) driver.store.delete(container, name)
    expect(await driver.deleteBackup(next)).toMatchObject({ deleted: ['next'] })
    expect(await driver.deleteBackup(full)).toMatchObject({ deleted: ['full'] })
  })

  it('is not deleted when the store does not answer: that is the error', async () => {
    const { driver, next } = await scene()
    const error = planned('STORE_UNAVAILABLE')
    const faulty = new FaultyBackupDriver(driver, {
      faults: [fault.fail('getObjectReader', { object: metadataOf(next), error })],
    })
    await expect(faulty.deleteBackup('full', { force: true })).rejects.toBe(error)
  })

  it('is deleted with `force`, which names what it ignores in warnings (A2)', async () => {
    const { driver, full, next, warnings } = await scene()
    damage(driver, next)
    await driver.deleteBackup('full', { force: true })
    expect(warnings).toContain('DEPENDENT_IGNORED')
    expect(driver.store.list(container).filter((name) => name.startsWith(full.prefix))).toEqual([])
  })

  it('is never deleted with `force` while an incremental that can be read depends on it', async () => {
    const { driver, full } = await scene()
    await expect(driver.deleteBackup('full', { force: true })).rejects.toMatchObject({
      code: 'HAS_DEPENDENTS',
    })
    damage(driver, full)
    await expect(driver.deleteBackup('full', { force: true })).rejects.toMatchObject({
      code: 'HAS_DEPENDENTS',
    })
    expect(driver.store.get(container, metadataOf(full))).toHaveLength(300)
  })

  it('is deleted where what cannot be read is another volume’s, by its prefix (A2)', async () => {
    const { driver } = await scene()
    const other = await driver.backup({ volumeId: 'volume-2' }, before)
    damage(driver, other)
    await driver.deleteBackup('next')
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual(['full'])
  })

  it('is deleted without a look at the manifests of other volumes, by their prefixes', async () => {
    const { driver } = await scene()
    for (const volumeId of ['other', 'volume-2']) await driver.backup({ volumeId }, before)
    const counting = new FaultyBackupDriver(driver)
    await counting.deleteBackup('full', { withDescendants: true })
    expect(counting.count('getObjectReader', /volume_(?!volume\/)/)).toBe(0)
    expect(await counting.listBackups()).toHaveLength(2)
  })

  it('is not deleted where the prefix of what cannot be read may be that of its volume (A2)', async () => {
    const { driver, next } = await scene()
    for (const prefix of ['volume_volume_x/20260101000000/backup_b', 'elsewhere/backup_b']) {
      driver.store.set(container, `${prefix}_metadata`, Buffer.from('{'))
      await expect(driver.deleteBackup(next), prefix).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
      driver.store.delete(container, `${prefix}_metadata`)
    }
  })
})

describe('a backup whose metadata is damaged', () => {
  it('is deleted by its prefix with `force`, and with it alone (C2)', async () => {
    const { driver, next } = await scene()
    damage(driver, next)
    await expect(driver.deleteBackup('next')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
    expect(await driver.deleteBackup('next', { force: true })).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
    await driver.verify('full', { level: 'full' })
  })

  it('is distinguished from another one whose id contains its own (C2)', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, clock: () => new Date(0) })
    const ids = ['b', 'a_b', 'a-b', 'backup_b', 'b_1', 'b-00001']
    for (const backupId of ids) await driver.backup({ volumeId: 'volume', backupId }, before)
    damage(driver, await driver.getBackup('b'))
    await driver.deleteBackup('b', { force: true })
    expect((await driver.listBackups()).map(({ id }) => id).sort()).toEqual(ids.slice(1).sort())
    for (const { id } of await driver.listBackups()) await driver.verify(id, { level: 'full' })
  })

  it('is left where its prefix fits two ids (C2)', async () => {
    const driver = new MemoryBackupDriver(sizes)
    driver.store.set(
      container,
      'volume_v_20260101000000_backup_x_20260101000000_backup_b_metadata',
      Buffer.from('{'),
    )
    await expect(driver.deleteBackup('b', { force: true })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('x_20260101000000_backup_b and b') as string,
    })
  })
})

describe('what is left of a backup without metadata', () => {
  it('is deleted by its prefix with `force`, and is no backup without (C2)', async () => {
    const { driver, next } = await scene()
    driver.store.delete(container, metadataOf(next))
    await expect(driver.deleteBackup('next')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' })
    expect(await driver.deleteBackup('next', { force: true })).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
    await expect(driver.deleteBackup('next', { force: true })).rejects.toMatchObject({
      code: 'BACKUP_NOT_FOUND',
    })
  })
})

describe('a delete that was interrupted', () => {
  function markers(driver: MemoryBackupDriver): string[] {
    return driver.store.list(container).filter((name) => name.startsWith('stowage-'))
  }

  /** Deletes a backup, and is aborted before it removes the object. */
  async function interrupted(driver: MemoryBackupDriver, id: string, object: RegExp): Promise<void> {
    const controller = new AbortController()
    const abort = fault.run('deleteObject', {
      object,
      run: () => {
        controller.abort()
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [abort] })
    await expect(faulty.deleteBackup(id, { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  }

  it('is finished by the next one, by its marker (C2)', async () => {
    const { driver } = await scene()
    await interrupted(driver, 'next', /_sha256file$/)
    expect(markers(driver)).toEqual([expect.stringMatching(/^stowage-deleting_next_[0-9a-f]{32}\.v1$/)])
    await expect(driver.restore('next', bufferVolume())).rejects.toMatchObject({
      code: 'BACKUP_NOT_FOUND',
      message: expect.stringContaining('Delete it again') as string,
    })
    expect(await driver.deleteBackup('next')).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
    await driver.verify('full', { level: 'full' })
  })

  it('is taken back when the store refuses to remove `_metadata`: nothing is changed (C2)', async () => {
    const { driver } = await scene()
    const names = [...driver.store.list(container)].sort()
    const error = new BackupError('FORBIDDEN', 'This user may not delete.')
    const refuse = fault.fail('deleteObject', { object: /_metadata$/, error })
    const faulty = new FaultyBackupDriver(driver, { faults: [refuse] })
    await expect(faulty.deleteBackup('next')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([...driver.store.list(container)].sort()).toEqual(names)
    await driver.verify('next', { level: 'full' })
  })

  it('leaves its marker when the removal of `_metadata` was cut off, which may still arrive (N6)', async () => {
    const { driver, next } = await scene()
    await interrupted(driver, 'next', /_metadata$/)
    expect(markers(driver)).toHaveLength(1)
    await driver.verify('next', { level: 'full' })
    // It arrives: the marker has the bytes, and the next delete finishes what was begun.
    driver.store.delete(container, metadataOf(next))
    expect(await driver.deleteBackup('next')).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
  })

  it('gives an incremental its parent back whose removal was cut off, and arrived after all (N6)', async () => {
    const { driver, full, next } = await scene()
    const child = Uint8Array.from(driver.store.get(container, metadataOf(next))!)
    driver.store.delete(container, metadataOf(next))
    await interrupted(driver, 'full', /_metadata$/)
    driver.store.set(container, metadataOf(next), child)
    driver.store.delete(container, metadataOf(full))
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
    await driver.verify('next', { level: 'full' })
  })

  it('leaves no trace beside a backup that is kept, once its marker is old (N6)', async () => {
    const { driver } = await scene()
    const names = [...driver.store.list(container)].sort()
    await interrupted(driver, 'next', /_metadata$/)
    await driver.removeOrphans({ olderThanMs: 0 })
    expect([...driver.store.list(container)].sort()).toEqual(names)
  })

  it('makes its marker a dependent of its parent, which is deleted with it alone (C2, A3)', async () => {
    const { driver } = await scene()
    await interrupted(driver, 'next', /_sha256file$/)
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({
      code: 'HAS_DEPENDENTS',
      details: { backupIds: ['next'] },
    })
    expect(await driver.deleteBackup('full', { withDescendants: true })).toMatchObject({
      deleted: ['next', 'full'],
    })
    expect(driver.store.list(container)).toEqual([])
  })

  it('is what the broken chain of an incremental is explained by, and is taken back by the next delete (C2)', async () => {
    const { driver, full, next } = await scene()
    const manifest = Uint8Array.from(driver.store.get(container, metadataOf(full))!)
    const child = Uint8Array.from(driver.store.get(container, metadataOf(next))!)
    // As if the delete had been killed before its second search, and the incremental committed before.
    driver.store.delete(container, metadataOf(next))
    await new Promise<void>((resolve) => {
      const die = fault.run('deleteObject', {
        object: /_metadata$/,
        run: async () => {
          driver.store.delete(container, metadataOf(full))
          resolve()
          await new Promise<void>(() => undefined)
        },
      })
      void new FaultyBackupDriver(driver, { faults: [die] }).deleteBackup('full')
    })
    driver.store.set(container, metadataOf(next), child)
    await expect(driver.restore('next', bufferVolume())).rejects.toMatchObject({
      code: 'CHAIN_INVALID',
      message: expect.stringContaining('Delete full again') as string,
    })
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
    expect(Buffer.compare(driver.store.get(container, metadataOf(full))!, manifest)).toBe(0)
    // The marker of the delete that did not finish: that delete may run still, for all that is known.
    expect(markers(driver)).toHaveLength(1)
    await driver.removeOrphans({ olderThanMs: 0 })
    expect(markers(driver)).toEqual([])
  })

  it('leaves a backup alone whose marker is damaged, unless `force` is set (C2)', async () => {
    const { driver } = await scene()
    await interrupted(driver, 'next', /_sha256file$/)
    driver.store.set(container, markers(driver)[0]!, Buffer.from('{"version":"1"'))
    await expect(driver.deleteBackup('next')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
    await expect(driver.deleteBackup('full')).rejects.toMatchObject({ code: 'DEPENDENTS_UNKNOWN' })
    await driver.deleteBackup('next', { force: true })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
  })

  it('of a backup on a full store goes on without a marker, with a warning (C2)', async () => {
    const { driver } = await scene()
    const warnings: string[] = []
    const error = planned('NO_SPACE')
    const faulty = new FaultyBackupDriver(driver, {
      faults: [fault.fail('writer.close', { object: /^stowage-deleting_/, error })],
      onWarning: ({ code }) => warnings.push(code),
    })
    await faulty.deleteBackup('next')
    expect(warnings).toEqual(['DELETE_NOT_MARKED'])
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
  })

  it('is finished by another one that runs at the same time, and ends well (C2)', async () => {
    const { driver } = await scene()
    let other: unknown
    const faulty = new FaultyBackupDriver(driver, {
      faults: [
        fault.run('deleteObject', {
          object: /_metadata$/,
          run: async () => {
            other = await driver.deleteBackup('next')
          },
        }),
      ],
    })
    expect(await faulty.deleteBackup('next')).toMatchObject({ deleted: ['next'] })
    expect(other).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import {
  BackupError,
  bufferVolume,
  isBackupError,
  type BackupRecord,
  type BackupWarning,
  type NewBackup,
} from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(9000)
const after = changed(before, 100, 700)

async function chain(): Promise<{ driver: MemoryBackupDriver; full: BackupRecord; next: BackupRecord }> {
  const driver = new MemoryBackupDriver(sizes)
  const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
  const next = await driver.backup({ volumeId: 'volume', backupId: 'next', parent: full }, after)
  return { driver, full, next }
}

async function failure(promise: Promise<unknown>): Promise<BackupError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBackupError(error)) throw new Error('it did not fail')
  return error
}

describe('verify', () => {
  it('finds every object that is missing, at the quick level already', async () => {
    const { driver, full, next } = await chain()
    driver.store.delete(container, `${full.prefix}-00002`)
    driver.store.delete(container, `${next.prefix}_sha256file`)
    const error = await failure(driver.verify(next))
    expect(error.code).toBe('VERIFY_FAILED')
    expect(error.details.problems?.map(({ objectName, backupId }) => [objectName, backupId]).sort()).toEqual([
      [`${full.prefix}-00002`, 'full'],
      [`${next.prefix}_sha256file`, 'next'],
    ])
  })

  it('finds damage in every layer at the full level, also in objects that newer ones hide', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    const next = await driver.backup(
      { volumeId: 'volume', backupId: 'next', parent: full },
      changed(before, 0, 2048),
    )
    for (const name of [`${full.prefix}-00001`, `${full.prefix}-00003`]) {
      driver.store.set(container, name, changed(driver.store.get(container, name)!, 5, 6))
    }
    await driver.verify(next)
    const error = await failure(driver.verify(next, { level: 'full' }))
    expect(error.details.problems?.map(({ code, objectName }) => [code, objectName]).sort()).toEqual([
      ['OBJECT_CORRUPT', `${full.prefix}-00001`],
      ['OBJECT_CORRUPT', `${full.prefix}-00003`],
    ])
  })

  it('reports the damage of an object without the advice to verify the backup', async () => {
    const { driver, full } = await chain()
    const name = `${full.prefix}-00001`
    driver.store.set(container, name, changed(driver.store.get(container, name)!, 5, 6))
    const { details, message } = await failure(driver.verify(full, { level: 'full' }))
    expect(details.problems?.[0]?.message).toMatch(/is damaged: its MD5 is \w+, expected \w+$/)
    expect(message).not.toContain('Verify the backup')
    const ofRestore = await failure(driver.restore(full, bufferVolume()))
    expect(ofRestore.message).toMatch(
      /expected \w+\. Verify the backup with level `full` to see what else is damaged;/,
    )
  })

  it('names a parent that is lost once, and its child where that is another', async () => {
    const { driver, full, next } = await chain()
    const third = await driver.backup({ volumeId: 'volume', backupId: 'third', parent: next }, before)
    driver.store.delete(container, `${full.prefix}_metadata`)
    expect((await failure(driver.verify('next'))).message).toMatch(
      /^The chain of backup next is broken: its parent, backup full, is not in the store\./,
    )
    expect((await failure(driver.verify(third))).message).toMatch(
      /^The chain of backup third is broken: backup full, the parent of next, is not in the store\./,
    )
  })

  it('finds bytes that match their MD5 and not the hash of their block', async () => {
    const { driver, next } = await chain()
    const name = `${next.prefix}_sha256file`
    const text = Buffer.from(driver.store.get(container, name)!).toString()
    const lied = text.replace(/"[0-9a-f]{64}"(?=\n {2}\])/, `"${'ab'.repeat(32)}"`)
    expect(lied).not.toBe(text)
    driver.store.set(container, name, Buffer.from(lied))
    const error = await failure(driver.verify(next, { level: 'full' }))
    expect(error.details.problems).toMatchObject([{ code: 'OBJECT_CORRUPT', offsetBytes: 17 * 512 }])
  })

  it('finds a hash file with a block too few', async () => {
    const { driver, full } = await chain()
    const name = `${full.prefix}_sha256file`
    const text = Buffer.from(driver.store.get(container, name)!).toString()
    driver.store.set(container, name, Buffer.from(text.replace(/,\n\s+"[0-9a-f]{64}"(?=\n {2}\])/, '')))
    const error = await failure(driver.verify(full, { level: 'full' }))
    expect(error.details.problems?.some(({ message }) => message.includes('17 hashes'))).toBe(true)
  })

  it('throws what the store says when it does not answer, instead of calling the backup damaged', async () => {
    const { driver, next } = await chain()
    const error = new BackupError('STORE_UNAVAILABLE', 'down')
    const faulty = new FaultyBackupDriver(driver, { faults: [fault.fail('reader.read', { nth: 3, error })] })
    await expect(faulty.verify(next, { level: 'full' })).rejects.toBe(error)
  })

  it('says what it looked at', async () => {
    const { driver, next } = await chain()
    expect(await driver.verify(next, { level: 'full' })).toEqual({
      backupId: 'next',
      level: 'full',
      chain: ['next', 'full'],
      objectsChecked: 6,
      blocksChecked: 18,
      sizeBytes: 9000,
    })
    expect(await driver.verify(next)).toMatchObject({ level: 'quick', objectsChecked: 6 })
  })
})

describe('deleteBackup', () => {
  it('refuses while incrementals depend on it, and names them', async () => {
    const { driver } = await chain()
    const error = await failure(driver.deleteBackup('full'))
    expect(error.code).toBe('HAS_DEPENDENTS')
    expect(error.details.backupIds).toEqual(['next'])
    await driver.verify('next', { level: 'full' })
  })

  it('finds the incrementals of the backup, whatever volume a record states', async () => {
    const { driver, full } = await chain()
    const error = await failure(driver.deleteBackup({ ...full, volumeId: 'other' }))
    expect([error.code, error.details.backupIds]).toEqual(['HAS_DEPENDENTS', ['next']])
    // The second is a part of the backup's own id.
    for (const id of ['other', 'ull']) {
      for (const force of [false, true]) {
        const renamed = await failure(driver.deleteBackup({ ...full, id }, { force }))
        expect(renamed.code).toBe('OPTION_INVALID')
      }
    }
    expect(await driver.listBackups()).toHaveLength(2)
  })

  it('finishes an interrupted delete by the record beside a damaged backup of another volume', async () => {
    const { driver, next } = await chain()
    const other = await driver.backup({ volumeId: 'volume-2', backupId: 'other' }, before)
    const killed = new FaultyBackupDriver(driver, { faults: [fault.fail('deleteObjects')] })
    await failure(killed.deleteBackup(next))
    driver.store.set(container, `${other.prefix}_metadata`, Buffer.from('{'))
    expect(await driver.deleteBackup(next)).toMatchObject({ deleted: ['next'] })
    expect(driver.store.list(container).filter((name) => name.includes('next'))).toEqual([])
  })

  it('deletes the descendants first where the caller says so, and leaves nothing', async () => {
    const { driver } = await chain()
    expect(await driver.deleteBackup('full', { withDescendants: true })).toMatchObject({
      deleted: ['next', 'full'],
    })
    expect(driver.store.list(container)).toEqual([])
  })

  it('deletes the commit object before any other', async () => {
    const { driver } = await chain()
    const faulty = new FaultyBackupDriver(driver)
    await faulty.deleteBackup('next')
    const deletes = faulty.calls.filter(({ operation }) => operation.startsWith('deleteObject'))
    expect(deletes[0]?.objectName).toMatch(/backup_next_metadata$/)
  })

  it('deletes by the manifest what a listing lacks, and by the listing what the manifest lacks', async () => {
    const { driver, next } = await chain()
    driver.store.set(container, `${next.prefix}-00077`, new Uint8Array(1))
    const faulty = new FaultyBackupDriver(driver, { faults: [fault.hide({ names: /-00001$/ })] })
    await faulty.deleteBackup('next')
    expect(driver.store.list(container).filter((name) => name.startsWith(next.prefix))).toEqual([])
  })

  it('never touches another backup whose id begins with its own', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, clock: () => new Date(0) })
    await driver.backup({ volumeId: 'volume', backupId: 'a' }, before)
    for (const backupId of ['ab', 'a-1', 'a-00001', 'a_b'])
      await driver.backup({ volumeId: 'volume', backupId }, after)
    await driver.deleteBackup('a')
    expect((await driver.listBackups()).map(({ id }) => id).sort()).toEqual(['a-00001', 'a-1', 'a_b', 'ab'])
    for (const { id } of await driver.listBackups()) await driver.verify(id, { level: 'full' })
  })

  it('reports what it could not delete', async () => {
    const { driver } = await chain()
    const faulty = new FaultyBackupDriver(driver, {
      faults: [fault.fail('deleteObject', { object: /_sha256file$/ })],
    })
    const error = await failure(faulty.deleteBackup('next'))
    expect(error.code).toBe('DELETE_INCOMPLETE')
    expect(error.details.leftovers).toEqual([expect.stringMatching(/backup_next_sha256file$/)])
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual(['full'])
  })

  it('reports a container that it could not list, after deleting what the manifest names', async () => {
    const { driver, full, next } = await chain()
    const faulty = new FaultyBackupDriver(driver, { faults: [fault.fail('getContainerEntries')] })
    await expect(faulty.deleteBackup(next)).rejects.toMatchObject({ code: expect.any(String) as string })
    await driver.verify(full, { level: 'full' })
  })
})

describe('the catalog', () => {
  it('lists each parent before its children, whatever the clocks said', async () => {
    let now = Date.UTC(2026, 0, 2)
    const driver = new MemoryBackupDriver({ ...sizes, clock: () => new Date(now) })
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    now = Date.UTC(2026, 0, 1)
    await driver.backup({ volumeId: 'volume', backupId: 'next', parent: 'full' }, after)
    await driver.backup({ volumeId: 'other', backupId: 'other' }, after)
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual(['full', 'next', 'other'])
    expect((await driver.listBackups({ volumeId: 'other' })).map(({ id }) => id)).toEqual(['other'])
  })

  it('finds the newest backup of a volume by the clock, as Cinder does, and of one second by the chain', async () => {
    let now = Date.UTC(2026, 0, 1)
    const driver = new MemoryBackupDriver({ ...sizes, clock: () => new Date(now) })
    const ids = ['z', 'y', 'x']
    for (const [index, backupId] of ids.entries()) {
      await driver.backup({ volumeId: 'volume', backupId, parent: ids[index - 1] ?? null }, before)
    }
    now = Date.UTC(2025, 0, 1)
    await driver.backup({ volumeId: 'volume', backupId: 'earlier' }, before)
    now = Date.UTC(2026, 0, 2)
    expect((await driver.backup({ volumeId: 'volume', incremental: true }, after)).parentId).toBe('x')
  })

  it('finds the newest backup of a volume by its manifests where the names do not tell the time', async () => {
    class OwnNames extends MemoryBackupDriver {
      override generateObjectNamePrefix({ id }: NewBackup): string {
        return `mine_${id}`
      }
    }
    let now = Date.UTC(2026, 0, 1)
    const driver = new OwnNames({ ...sizes, clock: () => new Date((now += 60_000)) })
    for (const backupId of ['c', 'a', 'b']) await driver.backup({ volumeId: 'volume', backupId }, before)
    await driver.backup({ volumeId: 'other', backupId: 'd' }, before)
    expect((await driver.backup({ volumeId: 'volume', incremental: true }, after)).parentId).toBe('b')
  })

  it('reads no manifest of another volume, and of its own the newest alone, to make an incremental', async () => {
    let now = Date.UTC(2026, 0, 1)
    const driver = new MemoryBackupDriver({ ...sizes, clock: () => new Date((now += 60_000)) })
    for (let index = 0; index < 20; index += 1) {
      await driver.backup({ volumeId: index % 2 === 0 ? 'volume' : 'volume2', backupId: `b${index}` }, before)
    }
    const faulty = new FaultyBackupDriver(driver)
    const made = await faulty.backup({ volumeId: 'volume', incremental: true }, after)
    expect(made.parentId).toBe('b18')
    const read = new Set(
      faulty.calls
        .filter(({ operation }) => operation === 'getObjectReader')
        .map(({ objectName }) => objectName),
    )
    expect([...read].map((name) => name?.replace(/^.*backup_/, ''))).toEqual([
      'b18_metadata',
      'b18_sha256file',
    ])
  })

  it('makes a full backup when an incremental is asked for and there is none before', async () => {
    const driver = new MemoryBackupDriver(sizes)
    expect((await driver.backup({ volumeId: 'volume', incremental: true }, before)).parentId).toBeNull()
  })

  it.each(['_sha256file', '_metadata'])(
    'passes over a newest backup with a lost or damaged %s, with a warning, and takes an older one as the parent (N5)',
    async (suffix) => {
      const { driver, next } = await chain()
      if (suffix === '_metadata')
        driver.store.set(container, next.prefix + suffix, Buffer.from('{"objects": ['))
      else driver.store.delete(container, next.prefix + suffix)
      const warnings: BackupWarning[] = []
      const onWarning = (warning: BackupWarning): void => void warnings.push(warning)
      const request = { volumeId: 'volume', incremental: true }
      const made = await driver.backup(request, after, { onWarning })
      expect(made.parentId).toBe('full')
      const code = suffix === '_metadata' ? 'METADATA_UNREADABLE' : 'PARENT_PASSED_OVER'
      expect(warnings).toContainEqual(expect.objectContaining({ code }))
      // One sentence quotes another, and each thing has its name once.
      const message = warnings.find((warning) => warning.code === code)?.message ?? ''
      const name = suffix === '_metadata' ? next.prefix + suffix : 'backup next'
      expect(message.split(name)).toHaveLength(2)
      await driver.verify(made, { level: 'full' })
    },
  )

  it('makes a full backup where every older one is damaged, with a warning for each (N5)', async () => {
    const { driver, full, next } = await chain()
    for (const { prefix } of [full, next]) driver.store.delete(container, `${prefix}_sha256file`)
    const passedOver: (string | undefined)[] = []
    const onWarning = ({ code, backupId }: BackupWarning): void => {
      if (code === 'PARENT_PASSED_OVER') passedOver.push(backupId)
    }
    const made = await driver.backup({ volumeId: 'volume', incremental: true }, after, { onWarning })
    expect(made.parentId).toBeNull()
    expect(passedOver).toEqual(['next', 'full'])
  })

  it('refuses a damaged parent that the caller named (N5)', async () => {
    const { driver, next } = await chain()
    driver.store.delete(container, `${next.prefix}_sha256file`)
    const names = driver.store.list(container)
    await expect(driver.backup({ volumeId: 'volume', parent: 'next' }, after)).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    })
    expect(driver.store.list(container)).toEqual(names)
  })

  it('leaves out what cannot be read, with a warning, and shows the rest', async () => {
    const codes: string[] = []
    const driver = new MemoryBackupDriver({ ...sizes, onWarning: ({ code }) => codes.push(code) })
    await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    driver.store.set(container, 'volume_v/backup_bad_metadata', Buffer.from('{"objects": ['))
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual(['full'])
    expect(codes).toEqual(['METADATA_UNREADABLE'])
  })

  it('does not believe a metadata object that claims to be another backup’s', async () => {
    const codes: string[] = []
    const driver = new MemoryBackupDriver({ ...sizes, onWarning: ({ code }) => codes.push(code) })
    const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    const stolen = driver.store.get(container, `${full.prefix}_metadata`)!
    driver.store.set(container, 'volume_volume/00000000000000/backup_evil_metadata', stolen)
    expect((await driver.listBackups()).map(({ prefix }) => prefix)).toEqual([full.prefix])
    expect(codes).toEqual(['METADATA_UNREADABLE'])
  })

  it('may be the caller’s own', async () => {
    const known = new Map<string, BackupRecord>()
    const driver = new MemoryBackupDriver({
      ...sizes,
      catalog: {
        get: (id) => Promise.resolve(known.get(id)),
        async *list() {
          yield* known.values()
        },
        put: async (record) => {
          known.set(record.id, record)
        },
        remove: async (id) => {
          known.delete(id)
        },
      },
    })
    const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
    const next = await driver.backup({ volumeId: 'volume', incremental: true }, after)
    expect([...known.keys()]).toEqual(['full', next.id])
    const target = bufferVolume()
    await driver.restore(next.id, target)
    expect(Buffer.compare(target.bytes, after)).toBe(0)
    await driver.deleteBackup(full, { withDescendants: true })
    expect(known.size).toBe(0)
  })
})

describe('records', () => {
  it('come back as they went out, and only where the backup is', async () => {
    const { driver, next } = await chain()
    const exported = await driver.exportRecord('next')
    expect(await driver.importRecord(exported)).toMatchObject({ id: 'next', prefix: next.prefix, container })
    const elsewhere = new MemoryBackupDriver(sizes)
    await expect(elsewhere.importRecord(exported)).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
  })
})

describe('close', () => {
  it('ends a driver: later operations say that it was closed', async () => {
    const { driver } = await chain()
    await driver.close()
    await driver.close()
    await expect(driver.listBackups()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(driver.createStore()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(driver.backup({ volumeId: 'volume' }, before)).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

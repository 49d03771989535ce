import { describe, expect, it } from 'vitest'
import {
  BackupError,
  bufferVolume,
  type BackupRecord,
  type BackupWarning,
  type DeleteObjectOptions,
} from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault, type MemoryStore } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(9000)
const after = changed(before, 100, 700)
const other = seededBytes(9000, 3)

function metadataOf({ prefix }: BackupRecord): string {
  return `${prefix}_metadata`
}

function markers({ store }: { readonly store: MemoryStore }): string[] {
  return store.list(container).filter((name) => name.startsWith('stowage-deleting_'))
}

/** A driver whose clock moves on by a minute with each backup. */
function driverOn(store?: MemoryStore, onWarning?: (warning: BackupWarning) => void): MemoryBackupDriver {
  let time = Date.UTC(2026, 0, 1)
  return new MemoryBackupDriver({
    ...sizes,
    clock: () => new Date((time += 60_000)),
    ...(store ? { store } : {}),
    ...(onWarning ? { onWarning } : {}),
  })
}

/** A backup of which a delete was killed after it had removed `_metadata`. */
async function killedDelete(driver: MemoryBackupDriver, id: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const die = fault.run('deleteObject', {
      object: /_metadata$/,
      run: async ({ objectName = '' }) => {
        driver.store.delete(container, objectName)
        resolve()
        await new Promise<void>(() => undefined)
      },
    })
    new FaultyBackupDriver(driver, { faults: [die] }).deleteBackup(id).then(() => {
      reject(new Error('the delete was not killed'))
    }, reject)
  })
}

describe('a backup whose delete was killed', () => {
  it('keeps its id from new backups until it is deleted: an old one could come back beside a new one', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    await killedDelete(driver, 'par')
    expect(driver.store.list(container)).not.toContain(metadataOf(par))
    await expect(driver.backup({ volumeId: 'v', backupId: 'par' }, other)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('Delete it again') as string,
    })
    await driver.deleteBackup('par')
    await driver.backup({ volumeId: 'v', backupId: 'par' }, other)
    const target = bufferVolume()
    await driver.restore('par', target)
    expect(Buffer.compare(target.bytes, other)).toBe(0)
  })

  it('is not put back beside another backup of its id', async () => {
    const driver = driverOn()
    const old = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    await killedDelete(driver, 'par')
    const hidden = markers(driver).map((name) => [name, driver.store.get(container, name)!] as const)
    for (const [name] of hidden) driver.store.delete(container, name)
    // As if its marker had not been listed.
    await driver.backup({ volumeId: 'v', backupId: 'par' }, other)
    await driver.backup({ volumeId: 'v', backupId: 'child', parent: 'par' }, changed(other, 10, 20))
    for (const [name, bytes] of hidden) driver.store.set(container, name, bytes)
    await driver.removeOrphans({ olderThanMs: 0 })
    expect(driver.store.list(container)).not.toContain(metadataOf(old))
    for (const id of ['par', 'child']) await driver.verify(id, { level: 'full' })
    const target = bufferVolume()
    await driver.restore('par', target)
    expect(Buffer.compare(target.bytes, other)).toBe(0)
  })

  it('cannot be a parent: an incremental on it is refused, and an automatic one uses an older backup', async () => {
    const warnings: string[] = []
    const driver = driverOn(undefined, ({ code }) => warnings.push(code))
    const full = await driver.backup({ volumeId: 'v', backupId: 'full' }, before)
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const metadata = Uint8Array.from(driver.store.get(container, metadataOf(par))!)
    await killedDelete(driver, 'par')
    // As if it had been killed before it removed `_metadata`.
    driver.store.set(container, metadataOf(par), metadata)
    await expect(driver.backup({ volumeId: 'v', parent: 'par' }, after)).rejects.toMatchObject({
      code: 'CHAIN_INVALID',
    })
    expect((await driver.backup({ volumeId: 'v', incremental: true }, after)).parentId).toBe(full.id)
    expect(warnings).toContain('PARENT_PASSED_OVER')
  })
})

describe('an incremental', () => {
  it('is not committed while a delete of its parent runs, whatever of the parent is seen', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const metadata = Uint8Array.from(driver.store.get(container, metadataOf(par))!)
    let begun = false
    const meanwhile = fault.run('getObjectWriter', {
      object: /child_metadata$/,
      run: async () => {
        begun = true
        await killedDelete(driver, 'par')
        // Shown again for a moment, by another delete that is called off.
        driver.store.set(container, metadataOf(par), metadata)
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [meanwhile] })
    await expect(
      faulty.backup({ volumeId: 'v', backupId: 'child', parent: par }, after),
    ).rejects.toMatchObject({ code: 'CHAIN_INVALID' })
    expect(begun).toBe(true)
    expect(driver.store.list(container).filter((name) => name.includes('child'))).toEqual([])
  })

  it('is found by a delete of its parent that lists it while another delete hides it', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const child = await driver.backup({ volumeId: 'v', backupId: 'child', parent: par }, after)
    const metadata = Uint8Array.from(driver.store.get(container, metadataOf(child))!)
    let hidden = 0
    const hide = fault.run('getObjectReader', {
      object: metadataOf(child),
      run: () => {
        hidden += 1
        if (hidden > 2) return
        driver.store.delete(container, metadataOf(child))
      },
    })
    // Put back, before the container is listed again.
    const show = fault.run('getContainerEntries', {
      run: () => {
        driver.store.set(container, metadataOf(child), metadata)
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [hide, show] })
    await expect(faulty.deleteBackup(par)).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
    expect(hidden).toBe(3)
    await driver.verify('child', { level: 'full' })
  })

  it('is found by a delete of its parent where another container has a backup of its id', async () => {
    const driver = driverOn()
    await driver.backup({ volumeId: 'v2', backupId: 'n1', container: 'another' }, before)
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const child = await driver.backup({ volumeId: 'v', backupId: 'child', parent: par }, after)
    // The same id in another container: a driver that searches one container alone does not see it.
    const twin = metadataOf(child).replaceAll('child', 'n1')
    for (const name of driver.store.list(container).filter((one) => one.startsWith(child.prefix))) {
      const text = Buffer.from(driver.store.get(container, name)!).toString('latin1')
      driver.store.delete(container, name)
      driver.store.set(container, name.replaceAll('child', 'n1'), Buffer.from(withoutSum(text), 'latin1'))
    }
    expect(driver.store.list(container)).toContain(twin)
    await expect(driver.deleteBackup(par)).rejects.toMatchObject({
      code: 'HAS_DEPENDENTS',
      details: { backupIds: ['n1'] },
    })
  })
})

function withoutSum(text: string): string {
  return text.replaceAll('child', 'n1').replace(/ *"stowage_checksum": "[^"]*",\n/, '')
}

describe('two backups of one id in a container', () => {
  it('make operations on the id fail with CONFLICT, and a list warn', async () => {
    const warnings: string[] = []
    const driver = driverOn(undefined, ({ code }) => warnings.push(code))
    const first = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const names = driver.store.list(container)
    const kept = names.map((name) => [name, driver.store.get(container, name)!] as const)
    for (const name of names) driver.store.delete(container, name)
    const second = await driver.backup({ volumeId: 'v', backupId: 'par' }, other)
    const child = await driver.backup(
      { volumeId: 'v', backupId: 'child', parent: second },
      changed(other, 1, 9),
    )
    for (const [name, bytes] of kept) driver.store.set(container, name, bytes)
    await expect(driver.restore('par', bufferVolume())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(first.prefix) as string,
    })
    expect((await driver.listBackups()).map(({ id }) => id).sort()).toEqual(['child', 'par'])
    expect(warnings).toEqual(['ID_TWICE'])
    // What was made on the one says so.
    const target = bufferVolume()
    await driver.restore(child, target)
    expect(Buffer.compare(target.bytes, changed(other, 1, 9))).toBe(0)
    expect(await driver.deleteBackup(first)).toMatchObject({ deleted: ['par'] })
    await expect(driver.deleteBackup(second)).rejects.toMatchObject({ code: 'HAS_DEPENDENTS' })
    await driver.verify(child, { level: 'full' })
  })
})

describe('a delete', () => {
  it.each(['getObjectReader', 'getContainerEntries'] as const)(
    'leaves `_metadata` alone when %s fails once before its bytes are in a marker',
    async (operation) => {
      const clean = driverOn()
      await clean.backup({ volumeId: 'v', backupId: 'par' }, before)
      const counting = new FaultyBackupDriver(clean)
      await counting.deleteBackup('par')
      const calls = counting.calls.filter((call) => call.operation === operation).length
      for (let nth = 1; nth <= calls; nth += 1) {
        const driver = driverOn()
        const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
        const error = new BackupError('STORE_FAILED', 'The disk reports an error.')
        const faulty = new FaultyBackupDriver(driver, { faults: [fault.fail(operation, { nth, error })] })
        const failed = await faulty.deleteBackup('par').then(
          () => false,
          () => true,
        )
        const isSafe = driver.store.list(container).includes(metadataOf(par)) || markers(driver).length > 0
        expect({ nth, failed, isSafe }).toEqual({ nth, failed: true, isSafe: true })
        await driver.deleteBackup('par')
        expect(driver.store.list(container), `${operation} ${nth}`).toEqual([])
      }
    },
  )

  it('with `force` leaves `_metadata` alone that was read, and then may not be: it could not be put back', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const error = new BackupError('FORBIDDEN', 'This user may not read.')
    const refuse = fault.fail('getObjectReader', { object: metadataOf(par), nth: 2, error })
    const faulty = new FaultyBackupDriver(driver, { faults: [refuse] })
    await expect(faulty.deleteBackup('par', { force: true })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await driver.verify('par', { level: 'full' })
  })

  it('does not show a backup again of which another delete has removed objects', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const controller = new AbortController()
    const stop = fault.run('getContainers', {
      run: () => {
        if (driver.store.get(container, metadataOf(par))) return
        driver.store.delete(container, `${par.prefix}-00002`)
        controller.abort()
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [stop] })
    await expect(faulty.deleteBackup('par', { signal: controller.signal })).rejects.toMatchObject({
      code: 'DELETE_INCOMPLETE',
    })
    expect(await driver.listBackups()).toEqual([])
    await driver.deleteBackup('par')
    expect(driver.store.list(container)).toEqual([])
  })

  it('keeps its marker where a request to remove `_metadata` had no answer, and may arrive again', async () => {
    class Slow extends MemoryBackupDriver {
      override async deleteObject(
        name: string,
        objectName: string,
        options: DeleteObjectOptions,
      ): Promise<void> {
        if (objectName.endsWith('_metadata')) options.onUnanswered?.()
        await super.deleteObject(name, objectName, options)
      }
    }
    const driver = new Slow(sizes)
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const controller = new AbortController()
    const stop = fault.run('getContainers', {
      run: () => {
        if (!driver.store.get(container, metadataOf(par))) controller.abort()
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [stop] })
    await expect(faulty.deleteBackup('par', { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(driver.store.list(container)).toContain(metadataOf(par))
    expect(markers(driver)).toHaveLength(1)
  })
})

describe('the removal of orphans', () => {
  it('leaves objects that a delete hides after their container was listed', async () => {
    const driver = driverOn()
    const par = await driver.backup({ volumeId: 'v', backupId: 'par' }, before)
    const metadata = Uint8Array.from(driver.store.get(container, metadataOf(par))!)
    // The listing finds neither: `_metadata` is hidden before it gets there, the marker is written behind it.
    driver.store.delete(container, metadataOf(par))
    let asked = 0
    const hide = fault.run('objectModifiedAt', {
      nth: 1,
      run: async () => {
        asked += 1
        driver.store.set(container, metadataOf(par), metadata)
        await killedDelete(driver, 'par')
      },
    })
    const faulty = new FaultyBackupDriver(driver, { faults: [hide] })
    const { orphans } = await faulty.removeOrphans({ olderThanMs: 0 })
    expect(asked).toBe(1)
    expect(orphans).toContainEqual(expect.objectContaining({ kind: 'objects', outcome: 'kept' }))
    expect(driver.store.list(container)).toContain(`${par.prefix}-00001`)
  })
})

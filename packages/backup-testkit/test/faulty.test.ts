import { BackupError, isBackupError } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import {
  driverConformance,
  fault,
  FaultyBackupDriver,
  MemoryBackupDriver,
  MemoryStore,
  MemoryTarget,
} from '../src/index.js'

const bytes = Buffer.alloc(10_000, 'stowage')
const sizes = { chunkSizeBytes: 4096, blockSizeBytes: 1024 }
const object = { extraMetadata: null }

async function storeWithObject(): Promise<FaultyBackupDriver> {
  const driver = new FaultyBackupDriver(new MemoryBackupDriver(sizes))
  await driver.putContainer('c', {})
  const writer = await driver.getObjectWriter('c', 'x', object)
  await writer.write(Buffer.from('text'))
  await writer.close()
  return driver
}

async function read(driver: FaultyBackupDriver): Promise<string> {
  const reader = await driver.getObjectReader('c', 'x', object)
  return Buffer.from(await reader.read()).toString()
}

driverConformance({
  describe,
  it,
  label: 'FaultyBackupDriver without faults',
  longListing: 25,
  capabilities: {
    streamingReads: true,
    rangedReads: true,
    streamingWrites: true,
    exclusiveCreate: true,
    containerListing: true,
    modificationTimes: true,
    objectInfo: true,
  },
  create: () => {
    const store = new MemoryStore()
    return {
      open: (options) => new FaultyBackupDriver(new MemoryBackupDriver({ ...options, store }), options),
    }
  },
})

describe('a driver that fails on demand', () => {
  it('fails the n-th matching call alone, with the error that was given', async () => {
    const driver = await storeWithObject()
    const error = new BackupError('STORE_UNAVAILABLE', 'Down.')
    driver.addFault(fault.fail('reader.read', { object: 'x', nth: 2, error }))
    expect(await read(driver)).toBe('text')
    await expect(read(driver)).rejects.toBe(error)
    expect(await read(driver)).toBe('text')
  })

  it('fails before the call has had any effect, or after it has had all of it', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.fail('deleteObject', { nth: 1 }))
    driver.addFault(fault.fail('deleteObject', { nth: 2, when: 'after' }))
    await expect(driver.deleteObject('c', 'x', {})).rejects.toThrow('planned')
    expect(await driver.objectExists('c', 'x', {})).toBe(true)
    await expect(driver.deleteObject('c', 'x', {})).rejects.toThrow('planned')
    expect(await driver.objectExists('c', 'x', {})).toBe(false)
  })

  it('leaves calls on other objects, and of other kinds, alone', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.fail(['reader.read', 'deleteObject'], { object: /^y/g }))
    expect(await read(driver)).toBe('text')
    await driver.deleteObject('c', 'x', {})
    await expect(driver.deleteObject('c', 'y', {})).rejects.toThrow('planned')
  })

  it('truncates and corrupts what readers give', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.truncate({ toBytes: 3, nth: 1 }))
    driver.addFault(fault.corrupt({ atByte: 1, nth: 2 }))
    expect(await read(driver)).toBe('tex')
    expect(await read(driver)).not.toBe('text')
    expect(await read(driver)).toBe('text')
  })

  it('hides names from a listing, though the objects are there', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.hide({ names: /x/ }))
    const names: string[] = []
    for await (const name of driver.getContainerEntries('c', '', {})) names.push(name)
    expect(names).toEqual([])
    expect(await read(driver)).toBe('text')
  })

  it('hangs until the signal is aborted', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.hang('deleteObject'))
    const controller = new AbortController()
    const deleting = driver.deleteObject('c', 'x', { signal: controller.signal })
    controller.abort()
    await expect(deleting).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await driver.objectExists('c', 'x', {})).toBe(true)
  })

  it('delays a call, which an abort ends', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.delay('objectExists', { delayMs: 1, nth: 1 }))
    driver.addFault(fault.delay('objectExists', { delayMs: 3_600_000, nth: 2 }))
    expect(await driver.objectExists('c', 'x', {})).toBe(true)
    const controller = new AbortController()
    const looking = driver.objectExists('c', 'x', { signal: controller.signal })
    controller.abort()
    await expect(looking).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('records every call in order, also those that failed, and counts them', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.fail('deleteObject'))
    await driver.deleteObject('c', 'x', {}).catch(() => undefined)
    expect(driver.calls.map(({ operation }) => operation)).toEqual([
      'putContainer',
      'getObjectWriter',
      'writer.write',
      'writer.close',
      'deleteObject',
    ])
    expect(driver.count('deleteObject', /x/)).toBe(1)
    expect(driver.count('deleteObject', 'y')).toBe(0)
  })

  it('works again after clearFaults', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.fail('getObjectReader'))
    await expect(read(driver)).rejects.toThrow('planned')
    driver.clearFaults()
    expect(await read(driver)).toBe('text')
  })

  it('strikes whole backups: a chunk that comes back damaged fails the restore', async () => {
    const driver = new FaultyBackupDriver(new MemoryBackupDriver(sizes))
    const record = await driver.backup({ volumeId: 'v' }, bytes)
    driver.addFault(fault.corrupt({ object: /-00002$/ }))
    const error: unknown = await driver.restore(record, new MemoryTarget()).catch((reason: unknown) => reason)
    expect(isBackupError(error, 'OBJECT_CORRUPT')).toBe(true)
  })

  it('strikes the deletes of a driver that deletes one by one', async () => {
    const driver = await storeWithObject()
    driver.addFault(fault.fail('deleteObject', { object: 'x' }))
    const failed = await driver.deleteObjects('c', ['w', 'x'], {})
    expect(failed.map(({ objectName }) => objectName)).toEqual(['x'])
  })
})

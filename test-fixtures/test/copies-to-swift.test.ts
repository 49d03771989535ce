import { bufferVolume, copyBackup } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { zlib } from '@stowage/compression-zlib'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestCloud } from '../test-cloud/index.js'
import { swiftOf } from './swift-of-tests.js'

const mib = 1024 * 1024
const sizes = { chunkSizeBytes: 4 * mib, blockSizeBytes: 65536 }
/** Its first chunk is noise, its second compresses well. */
const volume = new Uint8Array(8 * mib).fill(5)
for (let at = 0; at < 4 * mib; at += 32) volume.set(createHash('sha256').update(String(at)).digest(), at)

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.start()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const source = async (): Promise<MemoryBackupDriver> => {
  const driver = new MemoryBackupDriver({ ...sizes, compression: zlib() })
  await driver.backup({ volumeId: 'v', backupId: 'b' }, volume)
  return driver
}

/** The requests for data objects so far, by method. */
function requestsFor(method: string): string[] {
  return cloud.requests
    .filter((request) => request.service === 'swift' && request.method === method)
    .map(({ target }) => /^[^?]*-(\d{5})(?:\?|$)/.exec(target)?.[1])
    .filter((number) => number !== undefined)
    .sort()
}

describe('a copy to Swift', () => {
  it('sends objects while it reads them where memory does not hold them, raw and compressed', async () => {
    const from = await source()
    await using to = swiftOf(cloud, 'c', { decompressors: [zlib()], maxMemoryBytes: 2 * mib })
    await copyBackup(from, to, 'b')
    expect(requestsFor('PUT')).toEqual(['00001', '00002'])
    const restored = bufferVolume()
    await to.restore('b', restored)
    expect(Buffer.compare(restored.bytes, volume)).toBe(0)
  })

  it('reads an object again where its request has to be repeated', async () => {
    const from = await source()
    await using to = swiftOf(cloud, 'c', { decompressors: [zlib()], maxMemoryBytes: 2 * mib })
    cloud.faults.add({
      fault: { kind: 'status', status: 503 },
      when: ({ method, target }) => method === 'PUT' && /-0000\d/.test(target),
      times: 2,
    })
    await copyBackup(from, to, 'b')
    expect(requestsFor('PUT').length).toBe(4)
    await to.verify('b', { level: 'full' })
  })

  it('never completes an object that is found to be damaged at its last byte', async () => {
    const from = await source()
    const { prefix } = await from.getBackup('b')
    for (const number of ['00001', '00002']) {
      const objectName = `${prefix}-${number}`
      const intact = from.store.get('volumebackups', objectName)!
      from.store.set(
        'volumebackups',
        objectName,
        intact.map((byte, at) => (at === intact.length - 1 ? byte ^ 1 : byte)),
      )
      await using to = swiftOf(cloud, `c${number}`, { decompressors: [zlib()], maxMemoryBytes: 2 * mib })
      await expect(copyBackup(from, to, 'b')).rejects.toMatchObject({
        code: 'OBJECT_CORRUPT',
        details: { objectName },
      })
      const names: string[] = []
      for await (const name of to.getContainerEntries(`c${number}`, '', {})) names.push(name)
      expect(names.filter((name) => name.endsWith(number))).toEqual([])
      from.store.set('volumebackups', objectName, intact)
    }
  })

  it('compares what is stored by the ETag, and neither sends nor reads it again', async () => {
    const from = await source()
    await using to = swiftOf(cloud, 'c', { decompressors: [zlib()], backupSwiftRetryAttempts: 0 })
    cloud.faults.add({
      fault: { kind: 'status', status: 507 },
      when: ({ method, target }) => method === 'PUT' && target.includes('_sha256file'),
    })
    await expect(copyBackup(from, to, 'b')).rejects.toThrow('copy the backup again to continue')
    expect(requestsFor('PUT')).toEqual(['00001', '00002'])
    const { backups } = await copyBackup(from, to, 'b')
    expect(backups[0]).toMatchObject({ objectsCopied: 0, objectsKept: 2 })
    expect(requestsFor('PUT')).toEqual(['00001', '00002'])
    expect(requestsFor('GET')).toEqual([])
  })

  it('and from Swift names an object whose bytes are damaged on the way', async () => {
    await using middle = swiftOf(cloud, 'c', { decompressors: [zlib()] })
    await copyBackup(await source(), middle, 'b')
    cloud.faults.add({
      fault: { kind: 'flipped-byte' },
      when: ({ method, target }) => method === 'GET' && target.includes('-00002'),
      times: 20,
    })
    const to = new MemoryBackupDriver({ ...sizes, decompressors: [zlib()] })
    await expect(copyBackup(middle, to, 'b')).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
      details: { backupId: 'b', objectName: expect.stringContaining('-00002') as string },
    })
    expect(await to.listBackups()).toEqual([])
  })
})

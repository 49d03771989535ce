import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bufferVolume, type BackupRecord } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { expectCode } from '../volume/support.js'
import { seededBytes } from '../engine/volumes.js'

const kib = 1024
const chunk = 64 * kib
const sizes = { blockSizeBytes: 4 * kib, chunkSizeBytes: chunk, joinGapBytes: 0 }

/** A volume of chunks, each of zeros or of one kind of noise, and a short last one. */
const volumeOf = (kinds: readonly number[], lastBytes = 0): Uint8Array => {
  const noise = (kind: number, bytes: number): Uint8Array =>
    kind === 0 ? new Uint8Array(bytes) : seededBytes(bytes, kind)
  return Buffer.concat([...kinds.map((kind) => noise(kind, chunk)), new Uint8Array(lastBytes)])
}

async function backedUp(
  ...volumes: Uint8Array[]
): Promise<{ driver: MemoryBackupDriver; record: BackupRecord }> {
  const driver = new MemoryBackupDriver(sizes)
  let record: BackupRecord | undefined
  for (const volume of volumes) {
    const request = { volumeId: 'volume', ...(record ? { parent: record.id } : {}) }
    record = await driver.backup(request, bufferVolume(volume))
  }
  if (!record) throw new Error('no volume')
  return { driver, record }
}

describe('objects that hold zeros', () => {
  const volume = volumeOf([1, 0, 0, 2, 0], 100)

  it('are not fetched, since their MD5 proves the zeros', async () => {
    const { driver, record } = await backedUp(volume)
    const counting = new FaultyBackupDriver(driver)
    const target = bufferVolume()
    const result = await counting.restore(record, target)
    expect(Buffer.compare(target.bytes, volume)).toBe(0)
    // The two of noise, and the last one, which has no other of its length.
    expect(result.objectsFetched).toBe(3)
    expect(counting.count('reader.read')).toBe(3)
    expect(result.writtenBytes + result.sparseBytes).toBe(volume.length)
    expect(result.sparseBytes).toBe(3 * chunk + 100)
  })

  it('are written where the target does not read as zeros, and without `sparse`', async () => {
    const { driver, record } = await backedUp(volume)
    const full = bufferVolume(new Uint8Array(volume.length).fill(7))
    expect((await driver.restore(record, full, { overwrite: true })).writtenBytes).toBe(volume.length)
    expect(Buffer.compare(full.bytes, volume)).toBe(0)
    const dense = bufferVolume()
    expect((await driver.restore(record, dense, { sparse: false })).writtenBytes).toBe(volume.length)
    expect(Buffer.compare(dense.bytes, volume)).toBe(0)
  })

  it('restore when they are damaged, which a verification and a strict restore report', async () => {
    const { driver, record } = await backedUp(volume)
    driver.store.set(record.container, `${record.prefix}-00002`, new Uint8Array(chunk).fill(1))
    const target = bufferVolume()
    await driver.restore(record, target)
    expect(Buffer.compare(target.bytes, volume)).toBe(0)
    await expectCode(driver.verify(record, { level: 'full' }), 'VERIFY_FAILED')
    const strict = new MemoryBackupDriver({ ...sizes, strict: 'cinder', store: driver.store })
    await expectCode(strict.restore(record, bufferVolume()), 'OBJECT_CORRUPT')
  })

  it('must exist in the store', async () => {
    const { driver, record } = await backedUp(volume)
    driver.store.delete(record.container, `${record.prefix}-00002`)
    await expectCode(driver.restore(record, bufferVolume()), 'OBJECT_MISSING')
  })

  it('differ from equal objects of other data', async () => {
    const same = volumeOf([3, 3, 0, 3, 0])
    const { driver, record } = await backedUp(same)
    const target = bufferVolume()
    const result = await driver.restore(record, target)
    expect(result.objectsFetched).toBe(3)
    expect(Buffer.compare(target.bytes, same)).toBe(0)
  })

  it('hide the data of older backups, and are hidden by that of newer ones', async () => {
    const kinds = fc.array(fc.nat(2), { minLength: 5, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 4 }), fc.nat(4), async (states, from) => {
        const volumes = states.map((state) => volumeOf(state, 9))
        const { driver, record } = await backedUp(...volumes)
        const newest = volumes.at(-1) ?? new Uint8Array(0)
        const target = bufferVolume()
        await driver.restore(record, target)
        expect(Buffer.compare(target.bytes, newest)).toBe(0)
        const part = bufferVolume(new Uint8Array(newest.length).fill(7))
        const range = { offsetBytes: from * chunk + 5, lengthBytes: chunk }
        const end = Math.min(newest.length, range.offsetBytes + range.lengthBytes)
        await driver.restore(record, part, {
          overwrite: true,
          range: { ...range, lengthBytes: end - range.offsetBytes },
        })
        const wanted = new Uint8Array(newest.length).fill(7)
        wanted.set(newest.subarray(range.offsetBytes, end), range.offsetBytes)
        expect(Buffer.compare(part.bytes, wanted)).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bufferVolume, type RandomAccessSource, type VolumeExtent } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }

/** A source that tells what it knows, and counts what is read of it. */
function telling(
  bytes: Uint8Array,
  hints: { data?: VolumeExtent[]; changes?: VolumeExtent[] },
): RandomAccessSource & { readBytes: number } {
  const source = {
    size: bytes.length,
    readBytes: 0,
    read: (offset: number, length: number) => {
      source.readBytes += length
      return Promise.resolve(bytes.subarray(offset, offset + length))
    },
    ...(hints.data ? { extents: () => hints.data ?? [] } : {}),
    ...(hints.changes ? { changedSince: () => Promise.resolve(hints.changes) } : {}),
  }
  return source
}

async function restored(driver: MemoryBackupDriver, id: string): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return target.bytes
}

describe('a source that knows where its data is', () => {
  it('is not read where it holds none, and backs up to the same objects', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9000 }),
        fc.array(fc.tuple(fc.nat(1500), fc.nat(1500)), { maxLength: 6 }),
        async (size, steps) => {
          const volume = new Uint8Array(size)
          const data: VolumeExtent[] = []
          let at = 0
          for (const [gap, length] of steps) {
            const offsetBytes = at + gap
            if (offsetBytes >= size) break
            data.push({ offsetBytes, lengthBytes: length })
            volume.set(seededBytes(Math.min(length, size - offsetBytes), 3), offsetBytes)
            at = offsetBytes + length
          }
          const driver = new MemoryBackupDriver(sizes)
          const source = telling(volume, { data })
          const record = await driver.backup({ volumeId: 'volume' }, source)
          expect(record.objectCount).toBe(Math.ceil(size / 2048))
          expect(Buffer.compare(await restored(driver, record.id), volume)).toBe(0)
          await driver.verify(record, { level: 'full' })
          const dataBytes = data.reduce(
            (sum, extent) =>
              sum + Math.max(0, Math.min(size, extent.offsetBytes + extent.lengthBytes) - extent.offsetBytes),
            0,
          )
          expect(source.readBytes).toBe(dataBytes)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('a source that knows what changed', () => {
  const before = seededBytes(9000)

  it('is read only in the chunks that changed', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'volume' }, before)
    const after = changed(before, 4100, 4200)
    const source = telling(after, { changes: [{ offsetBytes: 4100, lengthBytes: 100 }] })
    const record = await driver.backup({ volumeId: 'volume', parent: full }, source)
    expect(source.readBytes).toBe(2048)
    expect(record.objectCount).toBe(1)
    expect(Buffer.compare(await restored(driver, record.id), after)).toBe(0)
    await driver.verify(record, { level: 'full' })
  })

  it('is not read at all when nothing did', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'volume' }, before)
    const source = telling(before, { changes: [] })
    const percents: (number | undefined)[] = []
    const record = await driver.backup({ volumeId: 'volume', parent: full }, source, {
      onProgress: ({ percent }) => percents.push(percent),
    })
    expect(source.readBytes).toBe(0)
    expect(record).toMatchObject({ sizeBytes: 9000, objectCount: 0 })
    expect(percents.at(-1)).toBe(100)
    await driver.verify(record, { level: 'full' })
  })

  it('is read at its end when it grew or shrank, for the last block is another', async () => {
    for (const size of [8900, 9100, 5000, 12_000]) {
      const driver = new MemoryBackupDriver(sizes)
      const full = await driver.backup({ volumeId: 'volume' }, before)
      const after = seededBytes(size)
      const changes = size > 9000 ? [{ offsetBytes: 9000, lengthBytes: size - 9000 }] : []
      const record = await driver.backup({ volumeId: 'volume', parent: full }, telling(after, { changes }))
      expect(Buffer.compare(await restored(driver, record.id), after)).toBe(0)
      await driver.verify(record, { level: 'full' })
    }
  })

  it('is refused when its list goes backwards', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const data = [
      { offsetBytes: 5000, lengthBytes: 10 },
      { offsetBytes: 0, lengthBytes: 10 },
    ]
    await expect(driver.backup({ volumeId: 'volume' }, telling(before, { data }))).rejects.toMatchObject({
      code: 'SOURCE_READ',
    })
    expect(driver.store.list('volumebackups')).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import {
  bufferVolume,
  type Compressor,
  type RandomAccessSource,
  type VolumeExtent,
} from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { zlib } from '@stowage/compression-zlib'
import { seededBytes } from '../engine/volumes.js'

const kib = 1024
const chunkSizeBytes = 512 * kib

/** A compressor that counts what it is asked. */
function counting(): { compressor: Compressor; lengths: number[] } {
  const inner = zlib()
  const lengths: number[] = []
  const compressor: Compressor = {
    name: inner.name,
    aliases: inner.aliases,
    compress: (bytes, options) => {
      lengths.push(bytes.length)
      return inner.compress(bytes, options)
    },
    decompress: (bytes, expected, options) => inner.decompress(bytes, expected, options),
  }
  return { compressor, lengths }
}

/** A source that fails where it says that it has nothing. */
function sparse(bytes: Uint8Array, data: readonly VolumeExtent[]): RandomAccessSource {
  return {
    size: bytes.length,
    read: (offset, length) => {
      const within = data.some(
        (extent) =>
          offset >= extent.offsetBytes && offset + length <= extent.offsetBytes + extent.lengthBytes,
      )
      return within
        ? Promise.resolve(bytes.subarray(offset, offset + length))
        : Promise.reject(new Error('a hole was read'))
    },
    extents: () => data,
  }
}

const volume = new Uint8Array(10 * chunkSizeBytes + 100)
volume.set(
  seededBytes(100_000).map((byte) => byte & 15),
  4 * chunkSizeBytes + 300_000,
)
const data = [{ offsetBytes: 4 * chunkSizeBytes + 299_008, lengthBytes: 102_400 }]

describe('a volume that is mostly zeros', () => {
  for (const [what, source] of [
    ['read', bufferVolume(volume)],
    ['holes', sparse(volume, data)],
  ] as const) {
    it(`has its zeros compressed once, where they are ${what}`, async () => {
      const { compressor, lengths } = counting()
      // One at a time: chunks that are under way together may each be the first.
      const driver = new MemoryBackupDriver({ chunkSizeBytes, compression: compressor, concurrency: 1 })
      const record = await driver.backup({ volumeId: 'volume' }, source)
      expect(record.objectCount).toBe(11)
      // The first chunk of zeros, the one with data, and the last one, which is small and has a slot of its own.
      expect([...lengths].sort((one, other) => other - one)).toEqual([chunkSizeBytes, chunkSizeBytes, 100])
      const target = bufferVolume()
      await driver.restore(record, target)
      expect(Buffer.compare(target.bytes, volume)).toBe(0)
      await driver.verify(record, { level: 'full' })
    })
  }

  it('is compressed by a compressor that takes one buffer, where a hole is longer than a piece', async () => {
    const sizeBytes = 64 * 1024 * kib
    const compressor = { ...counting().compressor, compress: (bytes: Uint8Array) => zlib().compress(bytes) }
    const driver = new MemoryBackupDriver({ chunkSizeBytes: sizeBytes / 2, compression: compressor })
    const hole: RandomAccessSource = {
      size: sizeBytes,
      read: () => Promise.reject(new Error('a hole was read')),
      extents: () => [],
    }
    const record = await driver.backup({ volumeId: 'volume' }, hole)
    expect(record.storedDataBytes).toBeLessThan(sizeBytes / 500)
    await driver.verify(record, { level: 'full' })
  })

  it('is stored alike, whether its zeros are read, known to be holes, or compressed one by one', async () => {
    const stored = async (source: Parameters<MemoryBackupDriver['backup']>[1]): Promise<string[]> => {
      const driver = new MemoryBackupDriver({ chunkSizeBytes, compression: zlib() })
      const { container, prefix } = await driver.backup({ volumeId: 'volume' }, source)
      const name = (index: number): string => `${prefix}-${String(index + 1).padStart(5, '0')}`
      return Array.from({ length: 11 }, (_, index) =>
        Buffer.from(driver.store.get(container, name(index)) ?? []).toString('hex'),
      )
    }
    const read = await stored(bufferVolume(volume))
    expect(await stored(sparse(volume, data))).toEqual(read)
    const alone = await zlib().compress(new Uint8Array(chunkSizeBytes))
    expect(read[0]).toBe(Buffer.from(alone ?? []).toString('hex'))
    expect(read[9]).toBe(read[0])
  })
})

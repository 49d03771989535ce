import { describe, expect, it } from 'vitest'
import {
  bufferVolume,
  type BackupRecord,
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

describe('zeros of a backup that is not compressed', () => {
  /** The volume grows by a chunk of zeros that ends in data, and its parent's data becomes zeros. */
  const next = new Uint8Array(volume.length + 2 * chunkSizeBytes)
  next.set([1, 2, 3], next.length - 100)
  const sizes = { chunkSizeBytes, blockSizeBytes: 4 * kib }

  /** A driver whose chunks are read whole before they are sent. */
  class Holding extends MemoryBackupDriver {
    override readonly capabilities = { streamingReads: true, rangedReads: true }
  }

  for (const [how, Driver] of [
    ['streamed', MemoryBackupDriver],
    ['held', Holding],
  ] as const) {
    it(`are stored with zlib where the driver has it, and restored, chunks are ${how}`, async () => {
      const { compressor, lengths } = counting()
      const driver = new Driver({ ...sizes, decompressors: [compressor] })
      for (const source of [bufferVolume(volume), sparse(volume, data)]) {
        lengths.length = 0
        const full = await driver.backup({ volumeId: 'volume' }, source)
        const stored = objectsOf(driver, full)
        expect(stored.map(({ compression }) => compression)).toEqual(
          Array.from({ length: 11 }, (_, index) => (index === 4 ? 'none' : 'zlib')),
        )
        expect(full.storedDataBytes).toBeLessThan(chunkSizeBytes + 11 * kib)
        // Chunks of one length are compressed once, also where several are stored at the same time.
        expect([...lengths].sort((one, other) => other - one)).toEqual([chunkSizeBytes, 100])
        await driver.verify(full, { level: 'full' })
        const target = bufferVolume()
        await driver.restore(full, target)
        expect(Buffer.compare(target.bytes, volume)).toBe(0)
        const incremental = await driver.backup({ volumeId: 'volume', parent: full }, bufferVolume(next))
        expect(objectsOf(driver, incremental).map(({ compression }) => compression)).toContain('zlib')
        expect(incremental.storedDataBytes).toBeLessThan(chunkSizeBytes + 11 * kib)
        const later = bufferVolume()
        await driver.restore(incremental, later)
        expect(Buffer.compare(later.bytes, next)).toBe(0)
        await driver.verify(incremental, { level: 'full' })
      }
    })

    it(`are stored as they are without zlib, in strict mode, or where zlib fails, chunks are ${how}`, async () => {
      const broken: Compressor = {
        ...counting().compressor,
        compress: () => Promise.reject(new Error('the package is not installed')),
      }
      for (const options of [
        {},
        { decompressors: [zlib()], strict: 'cinder' as const, blockSizeBytes: 32 * kib },
        { decompressors: [broken] },
      ]) {
        const driver = new Driver({ ...sizes, ...options })
        const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
        expect(record.storedDataBytes).toBe(volume.length)
        await driver.verify(record, { level: 'full' })
      }
    })
  }

  it('are stored as they are where Cinder could not read what the compressor writes', async () => {
    const mine: Compressor = {
      ...counting().compressor,
      name: 'mine',
      aliases: ['zlib'],
      cinderCompatible: false,
    }
    const driver = new MemoryBackupDriver({ ...sizes, decompressors: [mine] })
    const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
    expect(record.storedDataBytes).toBe(volume.length)
  })

  it('end a backup that is aborted while they are compressed', async () => {
    const stop = new AbortController()
    const slow: Compressor = {
      ...counting().compressor,
      compress: (_, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error)
          })
          stop.abort()
        }),
    }
    const driver = new MemoryBackupDriver({ ...sizes, decompressors: [slow] })
    await expect(
      driver.backup({ volumeId: 'volume' }, bufferVolume(volume), { signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
    expect([...driver.store.list('volumebackups')]).toEqual([])
  })
})

function objectsOf(
  driver: MemoryBackupDriver,
  { container, prefix }: BackupRecord,
): { readonly compression: string }[] {
  const text = Buffer.from(driver.store.get(container, `${prefix}_metadata`) ?? []).toString()
  const { objects } = JSON.parse(text) as { objects: Record<string, { compression: string }>[] }
  return objects.flatMap((entry) => Object.values(entry))
}

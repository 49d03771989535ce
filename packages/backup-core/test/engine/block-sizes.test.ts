import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bufferVolume } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'

const mib = 1024 * 1024
const container = 'volumebackups'

describe('the block size of a backup', () => {
  it.each([
    [3, 'at least 512'],
    [511, 'at least 512'],
    [0, 'at least 512'],
    [-512, 'at least 512'],
    [128 * mib, 'at most 67108864 (64 MiB)'],
    [2 ** 40, 'at most 67108864 (64 MiB)'],
    [1000, 'a power of two'],
    [98_304, 'a power of two'],
    [512.5, 'a whole number'],
    [Number.NaN, 'a whole number'],
  ])('is refused with the reason: %d', (blockSizeBytes, reason) => {
    const make = (): unknown =>
      new MemoryBackupDriver({ blockSizeBytes, chunkSizeBytes: Math.max(1, blockSizeBytes) * 2 })
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(reason) as string }),
    )
  })

  it('is any power of two from 512 to 64 MiB', () => {
    for (let blockSizeBytes = 512; blockSizeBytes <= 64 * mib; blockSizeBytes *= 2)
      expect(new MemoryBackupDriver({ blockSizeBytes }).blockSizeBytes).toBe(blockSizeBytes)
  })

  it('is whatever Cinder takes, within the bounds, in strict mode', () => {
    const sizes = { blockSizeBytes: 98_304, chunkSizeBytes: 983_040, strict: 'cinder' } as const
    expect(new MemoryBackupDriver(sizes).blockSizeBytes).toBe(98_304)
    expect(() => new MemoryBackupDriver({ ...sizes, blockSizeBytes: 96 })).toThrow('at least 512')
  })
})

/** Gives the hash list of a stored backup another block size, and hashes that are nobody's. */
function setBlockSize(driver: MemoryBackupDriver, prefix: string, chunkSize: number, hashes: number): void {
  const name = `${prefix}_sha256file`
  const list = JSON.parse(Buffer.from(driver.store.get(container, name) ?? []).toString()) as object
  const sha256s = Array.from({ length: hashes }, () => 'ab'.repeat(32))
  driver.store.set(container, name, Buffer.from(JSON.stringify({ ...list, chunk_size: chunkSize, sha256s })))
}

describe('an incremental on a parent with other blocks', () => {
  const volume = new Uint8Array(5000).fill(7, 100, 4000)

  it('keeps any block size that its parent has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6000 }), async (blockSize) => {
        const driver = new MemoryBackupDriver()
        const full = await driver.backup({ volumeId: 'volume' }, volume)
        setBlockSize(driver, full.prefix, blockSize, Math.ceil(5000 / blockSize))
        const next = Uint8Array.from(volume).fill(9, 2000, 2001)
        const record = await driver.backup({ volumeId: 'volume', parent: full }, next)
        const target = bufferVolume()
        await driver.restore(record, target)
        expect(Buffer.compare(target.bytes, next)).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('takes memory by the volume, and not by a block size that it read', async () => {
    const driver = new MemoryBackupDriver({ maxMemoryBytes: mib })
    const full = await driver.backup({ volumeId: 'volume' }, volume)
    setBlockSize(driver, full.prefix, 2 ** 39, 1)
    const record = await driver.backup({ volumeId: 'volume', parent: full }, volume)
    expect(record.sizeBytes).toBe(5000)
    await expect(
      driver.backup({ volumeId: 'volume', parent: full }, new Uint8Array(400_000)),
    ).rejects.toMatchObject({ code: 'MEMORY_LIMIT' })
  })
})

describe('what a backup stored', () => {
  it('counts data and metadata, apart and together, as the store holds them', async () => {
    const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    const volume = new Uint8Array(9000).fill(1)
    const storedNow = (): { data: number; metadata: number } => {
      const totals = { data: 0, metadata: 0 }
      for (const name of driver.store.list(container)) {
        const length = driver.store.get(container, name)?.length ?? 0
        totals[/-\d{5}$/.test(name) ? 'data' : 'metadata'] += length
      }
      return totals
    }
    let transferredBytes = 0
    const onProgress = (progress: { readonly transferredBytes: number }): void => {
      ;({ transferredBytes } = progress)
    }
    const full = await driver.backup({ volumeId: 'volume' }, volume, { onProgress })
    const first = storedNow()
    expect(full).toMatchObject({
      storedBytes: first.data + first.metadata,
      storedDataBytes: first.data,
      storedMetadataBytes: first.metadata,
    })
    expect(transferredBytes).toBe(full.storedBytes)
    const unchanged = await driver.backup({ volumeId: 'volume', parent: full }, volume)
    expect(unchanged.storedDataBytes).toBe(0)
    expect(unchanged.storedBytes).toBe(storedNow().metadata - first.metadata)
    expect(await driver.getBackup(full.id)).not.toHaveProperty('storedBytes')
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { bufferVolume, type BackupRecord, type RestoreOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

const mib = 2 ** 20
const sizes = { blockSizeBytes: 32 * 1024, chunkSizeBytes: 16 * mib }
const before = seededBytes(40 * mib + 100, 3)
const now = Uint8Array.from(before).fill(1, 2 * mib, 15 * mib)

describe('a restore that needs little of a large object', () => {
  let driver: MemoryBackupDriver
  let full: BackupRecord
  let record: BackupRecord
  beforeAll(async () => {
    driver = new MemoryBackupDriver(sizes)
    full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
    record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
  })

  async function restored(options: RestoreOptions = {}): Promise<{ bytes: Uint8Array; readBytes: number }> {
    const target = bufferVolume()
    let readBytes = 0
    await driver.restore(record.id, target, {
      ...options,
      onProgress: ({ transferredBytes }) => {
        readBytes = transferredBytes
      },
    })
    return { bytes: target.bytes, readBytes }
  }

  const stored = (name: string): Buffer => Buffer.from(driver.store.get(full.container, name) ?? [])

  /** Puts other bytes in an object's place while `work` runs. */
  async function replaced(name: string, bytes: Uint8Array, work: () => Promise<void>): Promise<void> {
    const original = stored(name)
    driver.store.set(full.container, name, bytes)
    try {
      await work()
    } finally {
      driver.store.set(full.container, name, original)
    }
  }

  function flipped(name: string, atBytes: number): Buffer {
    const bytes = stored(name)
    bytes.writeUInt8(bytes.readUInt8(atBytes) ^ 1, atBytes)
    return bytes
  }

  it('reads the parts that are visible alone, and the volume is whole', async () => {
    const { bytes, readBytes } = await restored()
    expect(Buffer.compare(bytes, now)).toBe(0)
    // 3 of the first chunk's 16 MiB show, beside the 13 MiB that were written over them and the other chunks.
    expect(readBytes).toBe(now.length)
  })

  it('reads the blocks alone that a range lies in', async () => {
    const range = { offsetBytes: 20 * mib + 5, lengthBytes: 1000 }
    const { bytes, readBytes } = await restored({ range })
    const end = range.offsetBytes + range.lengthBytes
    expect(Buffer.compare(bytes.subarray(range.offsetBytes, end), now.subarray(range.offsetBytes, end))).toBe(
      0,
    )
    expect(readBytes).toBe(32 * 1024)
  })

  it('is not deceived by damage where it reads, and not stopped by damage where it does not', async () => {
    const name = `${full.prefix}-00001`
    await replaced(name, flipped(name, mib), async () => {
      await expect(restored()).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
    })
    await replaced(name, flipped(name, 10 * mib), async () => {
      expect(Buffer.compare((await restored()).bytes, now)).toBe(0)
    })
  })

  it('reads objects whole where the block hashes prove nothing', async () => {
    const name = `${record.prefix}_sha256file`
    const text = stored(name).toString()
    const [firstHash = ''] = /[0-9a-f]{64}/.exec(text) ?? []
    await replaced(name, Buffer.from(text.replace(firstHash, '0'.repeat(64))), async () => {
      const { bytes, readBytes } = await restored()
      expect(Buffer.compare(bytes, now)).toBe(0)
      expect(readBytes).toBe(now.length + 13 * mib)
    })
  })

  /** How much a restore of a range of the full backup reads; its bytes are compared. */
  async function readFor(
    reader: MemoryBackupDriver,
    offsetBytes: number,
    lengthBytes: number,
  ): Promise<number> {
    const range = { offsetBytes, lengthBytes }
    const target = bufferVolume()
    let readBytes = 0
    await reader.restore(full.id, target, {
      range,
      onProgress: ({ transferredBytes }) => {
        readBytes = transferredBytes
      },
    })
    const end = offsetBytes + lengthBytes
    const [got, wanted] = [target.bytes, before].map((bytes) => bytes.subarray(offsetBytes, end))
    expect(Buffer.compare(got ?? before, wanted ?? now)).toBe(0)
    return readBytes
  }

  it('reads objects whole where the block hashes cannot be read and nothing else needs them', async () => {
    expect(await readFor(driver, 20 * mib, 7)).toBe(32 * 1024)
    await replaced(`${full.prefix}_sha256file`, new Uint8Array(0), async () => {
      expect(await readFor(driver, 20 * mib, 7)).toBe(16 * mib)
    })
  })

  it('reads a part of an object that memory does not hold, where memory holds the part', async () => {
    const small = new MemoryBackupDriver({ ...sizes, store: driver.store, maxMemoryBytes: 3 * mib })
    expect(await readFor(small, 20 * mib, 7)).toBe(32 * 1024)
    expect(await readFor(small, 20 * mib, 8 * mib)).toBe(16 * mib)
  })

  it('reads objects whole from a store without ranged reads', async () => {
    class WholeReads extends MemoryBackupDriver {
      override readonly capabilities = { streamingReads: true }

      override async getObjectReader(...call: Parameters<MemoryBackupDriver['getObjectReader']>) {
        const reader = await super.getObjectReader(...call)
        Object.defineProperty(reader, 'readRange', { value: undefined })
        return reader
      }
    }
    const whole = new WholeReads({ ...sizes, store: driver.store })
    expect(await readFor(whole, 20 * mib, 7)).toBe(16 * mib)
    // Its size takes the block hashes, which are at hand then.
    let readBytes = 0
    const onProgress = ({ transferredBytes }: { transferredBytes: number }): void => {
      readBytes = transferredBytes
    }
    await whole.restore(record.id, bufferVolume(), { onProgress })
    expect(readBytes).toBe(now.length + 13 * mib)
  })
})

import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BackupError, bufferVolume, type Compressor } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

const compressor = (name: string): Compressor => ({
  name,
  aliases: [],
  cinderCompatible: false,
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
})
const mine = compressor('mine')
const sizes = { blockSizeBytes: 512, chunkSizeBytes: 4096 }
const volume = Buffer.concat([Buffer.alloc(4096, 'again '), seededBytes(4096), Buffer.alloc(4096, 'text ')])

/** A backup whose objects `mine` compressed, and a driver that reads it. */
async function readerWith(
  findDecompressor: (algorithm: string) => Promise<Compressor | undefined>,
): Promise<{ driver: MemoryBackupDriver; id: string }> {
  const writer = new MemoryBackupDriver({ ...sizes, compression: mine })
  const { id } = await writer.backup({ volumeId: 'volume' }, volume)
  return { driver: new MemoryBackupDriver({ ...sizes, store: writer.store, findDecompressor }), id }
}

describe('findDecompressor', () => {
  it('is called once for each algorithm that no compressor reads, and its compressor is used', async () => {
    const asked: string[] = []
    const { driver, id } = await readerWith(async (algorithm) => {
      asked.push(algorithm)
      return mine
    })
    const target = bufferVolume()
    await driver.restore(id, target)
    expect(Buffer.compare(target.bytes, volume)).toBe(0)
    await driver.verify(id, { level: 'full' })
    expect(asked).toEqual(['mine'])
  })

  it('is not called by a quick verification, which decompresses nothing', async () => {
    const { driver, id } = await readerWith(() => Promise.reject(new Error('it was called')))
    expect((await driver.verify(id)).objectsChecked).toBe(3)
  })

  it.each([
    ['finds nothing', async () => undefined, 'unsupported compression algorithm: mine'],
    [
      'finds a compressor of another algorithm',
      async () => compressor('yours'),
      'returned a compressor for "yours", expected one for "mine"',
    ],
    ['rejects', () => Promise.reject(new TypeError('no such module')), 'cannot be loaded: no such module'],
    [
      'rejects with an error of its own',
      () => Promise.reject(new BackupError('COMPRESSION_UNKNOWN', 'Run: npm install mine')),
      'Run: npm install mine',
    ],
  ])('fails a restore before anything is written where it %s', async (_what, find, message) => {
    const { driver, id } = await readerWith(find)
    const target = bufferVolume()
    await expect(driver.restore(id, target)).rejects.toMatchObject({
      code: 'COMPRESSION_UNKNOWN',
      message: expect.stringContaining(message) as string,
    })
    expect(target.bytes).toHaveLength(0)
    await expect(driver.verify(id, { level: 'full' })).rejects.toMatchObject({ code: 'COMPRESSION_UNKNOWN' })
  })

  it('is called again by the next restore, for a package that was installed meanwhile', async () => {
    const installed: Compressor[] = []
    const { driver, id } = await readerWith(async () => installed[0])
    await expect(driver.restore(id, bufferVolume())).rejects.toMatchObject({ code: 'COMPRESSION_UNKNOWN' })
    installed.push(mine)
    expect((await driver.restore(id, bufferVolume())).backupId).toBe(id)
  })
})

import { describe, expect, it } from 'vitest'
import { deflateSync, inflateSync } from 'node:zlib'
import { bufferVolume, type Compressor } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { withoutChecksum } from '../engine/volumes.js'

const compression: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
}
const volume = new Uint8Array(100_000).fill(7, 10, 90_000)

describe('an object that has to be held whole and exceeds maxMemoryBytes', () => {
  const writer = new MemoryBackupDriver({ compression })
  const full = writer.backup({ volumeId: 'volume' }, volume)

  it('is refused before it is read and before the target is opened', async () => {
    const record = await full
    const small = new MemoryBackupDriver({ compression, store: writer.store })
    const faulty = new FaultyBackupDriver(small, { compression, maxMemoryBytes: 199_999 })
    const target = bufferVolume()
    const refusal = {
      code: 'MEMORY_LIMIT',
      message: expect.stringContaining('Set maxMemoryBytes to at least 200000') as string,
      details: { objectName: `${record.prefix}-00001` },
    }
    await expect(faulty.restore(record, target)).rejects.toMatchObject(refusal)
    await expect(faulty.verify(record, { level: 'full' })).rejects.toMatchObject(refusal)
    expect(target.bytes.length).toBe(0)
    expect(faulty.count('reader.read', `${record.prefix}-00001`)).toBe(0)
  })

  it('is restored under a limit that it fits into, and under the default', async () => {
    for (const limit of [{ maxMemoryBytes: 200_000 }, {}]) {
      const driver = new MemoryBackupDriver({ compression, store: writer.store, ...limit })
      const target = bufferVolume()
      await driver.restore(await full, target)
      expect(Buffer.compare(target.bytes, volume)).toBe(0)
    }
  })

  it('is refused by the length in its manifest, whatever its stored length', async () => {
    const { prefix } = await full
    const driver = new MemoryBackupDriver({ compression, store: writer.store, maxMemoryBytes: 2 ** 30 })
    const name = `${prefix}_metadata`
    const manifest = withoutChecksum(writer.store.get('volumebackups', name)!)
    writer.store.set('volumebackups', name, Buffer.from(manifest.replaceAll('100000', String(2 ** 42))))
    // Its hash list would contradict the manifest.
    writer.store.delete('volumebackups', `${prefix}_sha256file`)
    await expect(driver.restore((await full).id, bufferVolume())).rejects.toMatchObject({
      code: 'MEMORY_LIMIT',
    })
  })
})

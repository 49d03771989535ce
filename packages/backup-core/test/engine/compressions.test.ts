import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bufferVolume, type Compressor } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const undeclared: Compressor = {
  name: 'brotli',
  aliases: [],
  compress: (bytes) => Promise.resolve(brotliCompressSync(bytes)),
  decompress: (bytes) => Promise.resolve(brotliDecompressSync(bytes)),
}
const brotli: Compressor = { ...undeclared, cinderCompatible: false }
const zlib: Compressor = {
  name: 'zlib',
  aliases: ['gzip'],
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
}
const sizes = { blockSizeBytes: 512, chunkSizeBytes: 4096 }
const volume = new Uint8Array(8192)
volume.set(seededBytes(4096), 4096)

describe('a compressor whose word is not one of Cinder’s', () => {
  it('is refused unless it declares that, also for reading', () => {
    const refusal = expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('Set cinderCompatible: false') as string,
    }) as Error
    expect(() => new MemoryBackupDriver({ compression: undeclared })).toThrow(refusal)
    expect(() => new MemoryBackupDriver({ decompressors: [undeclared] })).toThrow(refusal)
    const claims = { ...undeclared, cinderCompatible: true }
    expect(() => new MemoryBackupDriver({ compression: claims })).toThrow(refusal)
  })

  it('is refused in strict mode for writing, and taken for reading', () => {
    expect(() => new MemoryBackupDriver({ compression: brotli, strict: 'cinder' })).toThrow(
      'which Cinder cannot restore',
    )
    expect(new MemoryBackupDriver({ decompressors: [brotli], strict: 'cinder' })).toBeDefined()
  })

  it('is refused in strict mode with a word of Cinder’s too, where it says that Cinder cannot read it', () => {
    const own = { ...zlib, cinderCompatible: false }
    expect(() => new MemoryBackupDriver({ compression: own, strict: 'cinder' })).toThrow(
      'which Cinder cannot restore',
    )
  })

  it('is warned of once a backup, and recorded', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, compression: brotli })
    const codes: string[] = []
    const record = await driver.backup({ volumeId: 'volume' }, volume, {
      onWarning: ({ code }) => codes.push(code),
    })
    expect(codes).toEqual(['COMPRESSION_NOT_CINDER'])
    expect(record.compressions).toEqual(['brotli', 'none'])
    expect((await driver.getBackup(record.id)).compressions).toEqual(['brotli', 'none'])
    expect((await driver.listBackups())[0]?.compressions).toEqual(['brotli', 'none'])
    const target = bufferVolume()
    await driver.restore(record, target)
    expect(Buffer.compare(target.bytes, volume)).toBe(0)
  })
})

it('records the compressions of a backup’s own objects, and warns of none of Cinder’s', async () => {
  const warnings: unknown[] = []
  const driver = new MemoryBackupDriver({
    ...sizes,
    compression: zlib,
    onWarning: (warning) => warnings.push(warning),
  })
  const full = await driver.backup({ volumeId: 'volume' }, volume)
  expect(full.compressions).toEqual(['none', 'zlib'])
  const raw = new MemoryBackupDriver({ ...sizes, store: driver.store, decompressors: [zlib] })
  const next = await raw.backup({ volumeId: 'volume', parent: full }, changed(volume, 0, 10))
  expect(next.compressions).toEqual(['none'])
  const same = await raw.backup({ volumeId: 'volume', parent: full }, volume)
  expect(same.compressions).toEqual([])
  expect(warnings).toEqual([])
})

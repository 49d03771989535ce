import { createInflate, deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BackupError, bufferVolume, type Compressor } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import { changed, seededBytes } from '../engine/volumes.js'

/** zlib, with a way to read what memory does not hold. */
const streaming: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
  async *decompressStream(pieces) {
    const inflate = createInflate()
    void (async () => {
      for await (const piece of pieces) inflate.write(Uint8Array.from(piece))
      inflate.end()
    })()
    for await (const piece of inflate) yield piece as Uint8Array
  },
}

const volume = new Uint8Array(300_000)
volume.set(seededBytes(100_000, 7), 50_000)
const next = changed(changed(volume, 60_000, 61_000), 200_000, 201_000)

describe('an object that does not fit into memory', () => {
  for (const compression of [undefined, streaming]) {
    it(`is checked in a first pass and written in a second (${compression?.name ?? 'none'})`, async () => {
      const sizes = { blockSizeBytes: 512, chunkSizeBytes: 300_032, ...(compression ? { compression } : {}) }
      const writer = new MemoryBackupDriver(sizes)
      const full = await writer.backup({ volumeId: 'volume' }, volume)
      const record = await writer.backup({ volumeId: 'volume', parent: full }, next)
      const small = new MemoryBackupDriver({ ...sizes, store: writer.store, maxMemoryBytes: 100_000 })
      const faulty = new FaultyBackupDriver(small, {
        maxMemoryBytes: 100_000,
        ...(compression ? { compression } : {}),
      })
      const target = bufferVolume()
      await faulty.restore(record, target)
      expect(Buffer.compare(target.bytes, next)).toBe(0)
      expect(faulty.count('reader.stream', `${full.prefix}-00001`)).toBe(2)
      expect(faulty.count('reader.read', `${full.prefix}-00001`)).toBe(0)
      await faulty.verify(record, { level: 'full' })
    })
  }

  it('leaves the target untouched when its last byte is wrong', async () => {
    const sizes = { blockSizeBytes: 512, chunkSizeBytes: 300_032 }
    const writer = new MemoryBackupDriver(sizes)
    const full = await writer.backup({ volumeId: 'volume' }, volume)
    const name = `${full.prefix}-00001`
    writer.store.set(
      'volumebackups',
      name,
      changed(writer.store.get('volumebackups', name)!, 299_999, 300_000),
    )
    const small = new MemoryBackupDriver({ ...sizes, store: writer.store, maxMemoryBytes: 100_000 })
    const target = new Uint8Array(300_000).fill(0xee)
    await expect(small.restore(full, bufferVolume(target), { overwrite: true })).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    })
    expect(target.every((byte) => byte === 0xee)).toBe(true)
  })

  it('is read again after a read that was damaged', async () => {
    const writer = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 300_032 })
    const full = await writer.backup({ volumeId: 'volume' }, volume)
    const faulty = new FaultyBackupDriver(writer, {
      maxMemoryBytes: 100_000,
      faults: [fault.truncate({ object: /-00001$/, nth: 1, toBytes: 10 })],
    })
    const codes: string[] = []
    const target = bufferVolume()
    await faulty.restore(full, target, { onWarning: ({ code }) => codes.push(code) })
    expect(Buffer.compare(target.bytes, volume)).toBe(0)
    expect(codes).toEqual(['OBJECT_REREAD'])
  })

  it('reports the error of the store where a compressor reports a damaged stream', async () => {
    const writer = new MemoryBackupDriver({
      blockSizeBytes: 512,
      chunkSizeBytes: 300_032,
      compression: streaming,
    })
    const full = await writer.backup({ volumeId: 'volume' }, volume)
    const hiding: Compressor = {
      ...streaming,
      async *decompressStream(pieces) {
        try {
          const input: Uint8Array[] = []
          for await (const piece of pieces) input.push(Uint8Array.from(piece))
          yield inflateSync(Buffer.concat(input))
        } catch (cause) {
          throw new BackupError('OBJECT_CORRUPT', 'The stream is damaged.', { cause })
        }
      },
    }
    const error = new BackupError('STORE_UNAVAILABLE', 'The store does not answer.')
    const faulty = new FaultyBackupDriver(writer, {
      compression: hiding,
      maxMemoryBytes: 100_000,
      faults: [fault.fail('reader.stream', { object: /-00001$/, error })],
    })
    await expect(faulty.restore(full, bufferVolume())).rejects.toBe(error)
    expect(faulty.count('reader.stream', /-00001$/)).toBe(1)
  })
})

import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bufferVolume, type Compressor } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

const mib = 2 ** 20
const zlibLike: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => Promise.resolve(deflateSync(bytes, { level: 1 })),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
}

/** The same, which takes a run where its parts lie. */
const inParts: Compressor = {
  ...zlibLike,
  compressParts: (parts) => {
    const raw = Buffer.concat(parts)
    const compressed = deflateSync(raw, { level: 1 })
    return Promise.resolve(compressed.length < raw.length ? compressed : null)
  },
}

/** Half noise, half one byte: some of it shrinks. */
function volumeOf(lengthBytes: number): Uint8Array {
  const volume = new Uint8Array(lengthBytes).fill(5)
  volume.set(seededBytes(lengthBytes / 2, 9))
  return volume
}

/** Writes at places that lie in one piece, across two, in all of them, at the end, and in scattered blocks. */
function writtenTo(volume: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(volume)
  bytes.fill(1, 3 * mib, 3 * mib + 5)
  bytes.fill(2, 7 * mib, 10 * mib)
  bytes.fill(3, 19 * mib, 47 * mib)
  bytes.fill(4, bytes.length - 1)
  for (let at = 50 * mib; at < 58 * mib; at += 300_000) bytes.fill(6, at, at + 4096)
  return bytes
}

describe('an incremental whose chunks are read in several pieces', () => {
  const before = volumeOf(60 * mib)
  const now = writtenTo(before)
  const sizes = { blockSizeBytes: 32 * 1024, chunkSizeBytes: 20 * mib }

  for (const [name, compression] of [
    ['none', undefined],
    ['compression', zlibLike],
    ['compression in parts', inParts],
  ] as const) {
    for (const concurrency of [1, 3]) {
      it(`restores to the volume, with ${name} and ${concurrency} in flight, in the least memory`, async () => {
        const driver = new MemoryBackupDriver({
          ...sizes,
          concurrency,
          // Three chunks, which is the least: what waits for memory must never wait for itself.
          maxMemoryBytes: 3 * 20 * mib,
          ...(compression ? { compression } : {}),
        })
        const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
        const record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
        const target = bufferVolume()
        await driver.restore(record.id, target)
        expect(Buffer.compare(target.bytes, now)).toBe(0)
        await driver.verify(record, { level: 'full' })
        const none = await driver.backup({ volumeId: 'volume', parent: record.id }, bufferVolume(now))
        expect(none.objectCount).toBe(0)
      })
    }
  }

  it('joins scattered changes over the gap that it is given, and none over a gap of 0', async () => {
    const objects = async (joinGapBytes?: number): Promise<number> => {
      const driver = new MemoryBackupDriver({
        ...sizes,
        ...(joinGapBytes === undefined ? {} : { joinGapBytes }),
      })
      const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
      const record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
      const target = bufferVolume()
      await driver.restore(record.id, target)
      expect(Buffer.compare(target.bytes, now)).toBe(0)
      return record.objectCount
    }
    const scattered = Math.ceil((8 * mib) / 300_000)
    // The last chunk has the scattered runs, the end of a long one and the last byte.
    expect(await objects(0)).toBe(2 + 3 + 1 + scattered)
    expect(await objects()).toBe(2 + 2 + 8)
    for (const joinGapBytes of [-1, 0.5, 4 * mib + 1]) {
      expect(() => new MemoryBackupDriver({ ...sizes, joinGapBytes })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    }
  })

  it('hands a run that lies in several pieces over as it lies, where the compressor takes that', async () => {
    const wholeBytes: number[] = []
    const partsBytes: number[] = []
    const compression: Compressor = {
      ...zlibLike,
      compress: (bytes) => {
        wholeBytes.push(bytes.length)
        return zlibLike.compress(bytes)
      },
      compressParts: (parts, options) => {
        partsBytes.push(Buffer.concat(parts).length)
        return inParts.compressParts?.(parts, options) ?? Promise.resolve(null)
      },
    }
    const driver = new MemoryBackupDriver({ ...sizes, compression })
    const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
    expect(partsBytes).toEqual([])
    wholeBytes.length = 0
    await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
    // One run of 20 MiB is a whole chunk, others end within it; those of a block or two lie in one piece.
    expect(partsBytes).toContain(20 * mib)
    expect(partsBytes.every((lengthBytes) => lengthBytes > mib)).toBe(true)
    expect(wholeBytes.length).toBeGreaterThan(0)
  })

  it('stores a run raw that does not shrink where it lies', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, compression: inParts })
    const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(new Uint8Array(40 * mib)))
    const noise = seededBytes(40 * mib, 11)
    const record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(noise))
    const target = bufferVolume()
    await driver.restore(record.id, target)
    expect(Buffer.compare(target.bytes, noise)).toBe(0)
    await driver.verify(record, { level: 'full' })
  })

  it('asks for speed where most of an object is unchanged, and nowhere else', async () => {
    const asked: { lengthBytes: number; preferSpeed: boolean | undefined }[] = []
    const compression: Compressor = {
      ...zlibLike,
      compress: (bytes, options) => {
        asked.push({ lengthBytes: bytes.length, preferSpeed: options?.preferSpeed })
        return zlibLike.compress(bytes)
      },
    }
    const driver = new MemoryBackupDriver({ ...sizes, compression })
    const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
    expect(asked.filter(({ preferSpeed }) => preferSpeed === true)).toEqual([])
    asked.length = 0
    await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
    const written = (lengthBytes: number): boolean | undefined =>
      asked.find((call) => call.lengthBytes === lengthBytes)?.preferSpeed
    expect(written(3 * mib)).toBe(false)
    expect(written(20 * mib)).toBe(false)
    // The scattered writes: a block or two of each 300,000 bytes.
    const joined = asked.filter(({ preferSpeed }) => preferSpeed === true)
    expect(joined.length).toBeGreaterThan(0)
    expect(joined.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBeGreaterThan(5 * mib)
  })

  it('has Cinder’s layout in strict mode: a run ends with its chunk, and not with a piece', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, strict: 'cinder' })
    const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
    const record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
    // 19 to 47 MiB are cut at 20 and 40; each scattered write is of one block, or of the two that it lies in.
    const scattered = Math.ceil((8 * mib) / 300_000)
    expect(record.objectCount).toBe(2 + 3 + 1 + scattered)
  })
})

import { describe, expect, it } from 'vitest'
import { compressorOf, readersBeside } from '../src/compression/lazy-compressor.js'
import { loadCompressor } from '../src/compression/load-compressor.js'
import { compressionWords } from '../src/compression/words.js'

describe('compression words', () => {
  it.each(['none', 'off', 'no'])('%s means none', async (word) => {
    expect(await compressorOf(word)).toBeUndefined()
  })

  it.each(['zlib', 'gzip'])('%s is written and read by the package that comes along', async (word) => {
    const compressor = (await compressorOf(word))!
    const reader = readersBeside(undefined).find(({ name }) => name === word)!
    try {
      const bytes = Buffer.alloc(10_000, 'again ')
      const packed = await compressor.compress(bytes)
      expect(packed.length).toBeLessThan(1000)
      expect(Buffer.from(await reader.decompress(packed, bytes.length)).equals(bytes)).toBe(true)
      expect(compressor.name).toBe(word)
    } finally {
      await reader.close?.()
      await compressor.close?.()
    }
  })

  it('are read by one reader each, less those that the writer serves', async () => {
    const compressor = (await compressorOf('zlib'))!
    const names = readersBeside(compressor).map(({ name }) => name)
    expect([...names, compressor.name, ...compressor.aliases].sort()).toEqual(
      compressionWords.map(({ word }) => word).sort(),
    )
    await compressor.close?.()
  })

  it('say of each whether its package reads in pieces, on the engine that runs here', async () => {
    for (const spec of compressionWords) {
      const compressor = await loadCompressor(spec)
      expect([spec.word, typeof compressor.decompressStream === 'function']).toEqual([
        spec.word,
        spec.streams,
      ])
      await compressor.close?.()
    }
  })

  it('name the package to install where it is missing', async () => {
    const missing = {
      word: 'lzma',
      packageName: '@stowage/compression-nowhere',
      factory: 'lzma',
      streams: false,
    }
    const error: unknown = await loadCompressor(missing).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'COMPRESSION_UNKNOWN' })
    expect((error as Error).message).toContain('npm install @stowage/compression-nowhere')
  })
})

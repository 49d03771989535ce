import { describe, expect, it } from 'vitest'
import { compressorOf, readersBeside } from '../src/compression/lazy-compressor.js'
import { loadCompressor } from '../src/compression/load-compressor.js'
import { bz2Engines, compressionAlgorithms } from '../src/compression/algorithms.js'
import type { AlgorithmPackage } from '../src/compression/algorithms.js'

const nowhere: AlgorithmPackage = { packageName: '@stowage/compression-nowhere', factory: 'lzma' }
const zlibPackage: AlgorithmPackage = { packageName: '@stowage/compression-zlib', factory: 'zlib' }

const refusalOf = async (
  packages: [AlgorithmPackage, ...AlgorithmPackage[]],
): Promise<NodeJS.ErrnoException> => {
  try {
    await loadCompressor({ algorithm: 'lzma', packages, streams: false })
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
  throw new Error('it was loaded')
}

describe('compression words', () => {
  it.each(['none', 'off', 'no'])('%s means none', async (algorithm) => {
    expect(await compressorOf(algorithm)).toBeUndefined()
  })

  it.each(['zlib', 'gzip'])('%s is written and read by the package that comes along', async (algorithm) => {
    const compressor = (await compressorOf(algorithm))!
    const reader = readersBeside(undefined).find(({ name }) => name === algorithm)!
    const bytes = Buffer.alloc(10_000, 'again ')
    const packed = (await compressor.compress(bytes))!
    expect(packed.length).toBeLessThan(1000)
    expect(Buffer.from(await reader.decompress(packed, bytes.length)).equals(bytes)).toBe(true)
    expect(compressor.name).toBe(algorithm)
  })

  it('are read by one reader each, less those that the writer serves', async () => {
    const compressor = (await compressorOf('zlib'))!
    const names = readersBeside(compressor).map(({ name }) => name)
    expect([...names, compressor.name, ...compressor.aliases].sort()).toEqual(
      compressionAlgorithms.map(({ algorithm }) => algorithm).sort(),
    )
  })

  it('say of each whether its package reads in pieces, on the engine that runs here', async () => {
    for (const spec of compressionAlgorithms) {
      for (const engine of bz2Engines) {
        const compressor = await loadCompressor(spec, engine)
        expect([spec.algorithm, typeof compressor.decompressStream === 'function']).toEqual([
          spec.algorithm,
          spec.streams,
        ])
      }
    }
  })

  it('name the package to install where it is missing', async () => {
    const missing = await refusalOf([nowhere])
    expect(missing.code).toBe('COMPRESSION_UNKNOWN')
    expect(missing.message).toContain('npm install @stowage/compression-nowhere')
  })

  it('name every package that would do where none is there, and install the first', async () => {
    const { message } = await refusalOf([nowhere, { ...nowhere, packageName: '@stowage/compression-away' }])
    expect(message).toMatch(/compression-nowhere, or @stowage\/compression-away/)
    expect(message).toContain('npm install @stowage/compression-nowhere')
  })

  it('are served by the next package where the first is not installed', async () => {
    const spec = { algorithm: 'gzip', packages: [nowhere, zlibPackage], streams: true } as const
    const compressor = await loadCompressor(spec)
    expect(compressor.name).toBe('gzip')
  })

  it('of bz2 have two packages, libbzip2 first, and the message says what the other one is', () => {
    for (const algorithm of ['bz2', 'bzip2']) {
      const spec = compressionAlgorithms.find((one) => one.algorithm === algorithm)!
      expect(spec.packages.map(({ packageName }) => packageName)).toEqual([
        '@stowage/compression-bz2',
        '@stowage/compression-compressjs',
      ])
      expect(spec.packages.map(({ engine }) => engine)).toEqual(bz2Engines)
      expect(spec.packages[1]?.remark).toContain('GPL')
    }
  })

  it('of bz2 are served by the engine that is asked for, and by no other', async () => {
    const packages = [
      { ...zlibPackage, engine: 'libbzip2' },
      { ...nowhere, engine: 'compressjs' },
    ] as const
    const asked = { algorithm: 'gzip', packages, streams: true }
    await expect(loadCompressor(asked, 'compressjs')).rejects.toThrow(
      'npm install @stowage/compression-nowhere',
    )
    expect((await loadCompressor(asked, 'libbzip2')).name).toBe('gzip')
  })

  it.each(bz2Engines)('of bz2 are written by %s and read by the other', async (engine) => {
    const [other] = bz2Engines.filter((one) => one !== engine)
    const writer = (await compressorOf('bzip2', engine))!
    const reader = readersBeside(undefined, other).find(({ name }) => name === 'bzip2')!
    const bytes = Buffer.alloc(10_000, 'again ')
    const packed = (await writer.compress(bytes))!
    expect(Buffer.from(await reader.decompress(packed, bytes.length)).equals(bytes)).toBe(true)
    expect(writer.name).toBe('bzip2')
  })
})

import { describe, expect, it } from 'vitest'
import { cinderAlgorithms, rawNames } from '../src/compression/algorithms.js'
import { compressorOf, findDecompressor } from '../src/compression/load-compressor.js'
import { bz2Engines } from '../src/plugins/own-packages.js'

const bytes = Buffer.alloc(10_000, 'again ')

describe('a compression algorithm', () => {
  it.each(rawNames)('%s has no compressor', async (algorithm) => {
    expect(await compressorOf(algorithm, {}, {})).toBeUndefined()
  })

  it.each(cinderAlgorithms)('%s is written and read by its package', async (algorithm) => {
    const compressor = (await compressorOf(algorithm, {}, {}))!
    const reader = await findDecompressor(algorithm, {}, {})
    const packed = (await compressor.compress(bytes))!
    expect(packed.length).toBeLessThan(1000)
    expect(Buffer.from(await reader.decompress(packed, bytes.length)).equals(bytes)).toBe(true)
    expect(compressor.name).toBe(algorithm)
  })

  it('without an installed package is answered with the commands that install one', async () => {
    await expect(compressorOf('lzma', {}, {})).rejects.toMatchObject({
      code: 'COMPRESSION_UNKNOWN',
      message:
        'No package for the compression "lzma" is installed. Run: npm install @stowage/compression-lzma, or npm install stowage-compression-lzma (with -g, if stowage is installed so), if one of them is the package that is meant.',
    })
  })

  it.each(bz2Engines)('bzip2 is written by the engine %s and read by the other', async (bz2Engine) => {
    const [other] = bz2Engines.filter((one) => one !== bz2Engine)
    const writer = (await compressorOf('bzip2', { bz2Engine }, {}))!
    const reader = await findDecompressor('bzip2', { bz2Engine: other! }, {})
    const packed = (await writer.compress(bytes))!
    expect(Buffer.from(await reader.decompress(packed, bytes.length)).equals(bytes)).toBe(true)
    expect(writer.name).toBe('bzip2')
  })

  it('bz2 has a stream decoder with both engines, which large objects need', async () => {
    for (const bz2Engine of bz2Engines)
      expect('decompressStream' in (await findDecompressor('bz2', { bz2Engine }, {}))).toBe(true)
  })
})

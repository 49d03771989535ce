import { isBackupError } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { zlib } from '../src/index.js'
import type { ZlibOptions } from '../src/index.js'

const refusal = (options: unknown): unknown => {
  try {
    return zlib(options as ZlibOptions)
  } catch (error) {
    return error
  }
}

describe('the options of zlib', () => {
  it('give the name to record, and the other one to read', () => {
    expect([zlib().name, zlib().aliases]).toEqual(['zlib', ['gzip']])
    expect([zlib({ algorithm: 'gzip' }).name, zlib({ algorithm: 'gzip' }).aliases]).toEqual([
      'gzip',
      ['zlib'],
    ])
  })

  it('are refused when they are not allowed, before anything is compressed', () => {
    const refused = [
      { level: 10 },
      { level: 0 },
      { level: 1.5 },
      { level: '6' },
      { algorithm: 'GZIP' },
      { engine: 'fast' },
    ]
    for (const options of refused) {
      expect(isBackupError(refusal(options), 'OPTION_INVALID'), JSON.stringify(options)).toBe(true)
    }
  })

  it('have a quicker level where speed matters more, but not where a level is given', async () => {
    const bytes = Buffer.concat(
      Array.from({ length: 30_000 }, (_, index) => Buffer.from(`${index * index} of ${index} `)),
    )
    const packed = async (options: ZlibOptions, preferSpeed: boolean): Promise<string> =>
      Buffer.from((await zlib(options).compress(bytes, { preferSpeed }))!).toString('hex')
    expect(await packed({}, true)).toBe(await packed({ level: 1 }, false))
    expect(await packed({}, false)).not.toBe(await packed({ level: 1 }, false))
    for (const level of [6, 9]) expect(await packed({ level }, true)).toBe(await packed({ level }, false))
  })

  it('leave the expected length to be checked by each call', async () => {
    const compressed = (await zlib().compress(new Uint8Array(1_000)))!
    for (const length of [-1, 1.5, Number.NaN, Infinity]) {
      await expect(zlib().decompress(compressed, length)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    }
  })

  it('do not let an absurd expected length take memory', async () => {
    const compressed = (await zlib().compress(new Uint8Array(1_000)))!
    await expect(zlib().decompress(compressed, 2 ** 50)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
  })
})

import { isBackupError } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { zstd } from '../src/index.js'
import type { ZstdOptions } from '../src/index.js'
import { nodeHasZstd } from './engines.js'

const refusal = (options: unknown): unknown => {
  try {
    return zstd(options as ZstdOptions)
  } catch (error) {
    return error
  }
}

describe('the options of zstd', () => {
  it('give the one name', () => {
    expect([zstd().name, zstd().aliases]).toEqual(['zstd', []])
  })

  it('are refused when they are not allowed, before anything is compressed', () => {
    const refused = [
      { level: 0 },
      { level: 23 },
      { level: 1.5 },
      { level: '3' },
      { algorithm: 'zstd' },
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
    const packed = async (options: ZstdOptions, preferSpeed: boolean): Promise<string> =>
      Buffer.from((await zstd(options).compress(bytes, { preferSpeed }))!).toString('hex')
    expect(await packed({}, true)).toBe(await packed({ level: 1 }, false))
    expect(await packed({}, false)).not.toBe(await packed({ level: 1 }, false))
    for (const level of [6, 9]) expect(await packed({ level }, true)).toBe(await packed({ level }, false))
  })

  it('leave the expected length to be checked by each call', async () => {
    const compressed = (await zstd().compress(new Uint8Array(1_000)))!
    for (const length of [-1, 1.5, Number.NaN, Infinity]) {
      await expect(zstd().decompress(compressed, length)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    }
  })

  it("name Node's engine, which is there from 22.15 on and refused elsewhere", async () => {
    const call = zstd({ engine: 'node' }).compress(new Uint8Array(1_000))
    if (nodeHasZstd) expect((await call)?.length).toBeLessThan(1_000)
    else await expect(call).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('of WebAssembly say which Node has no limit when a chunk is beyond it', async () => {
    // Never touched, and so never there: the address space alone.
    const chunk = new Uint8Array(new SharedArrayBuffer(1_900_000_000))
    chunk[0] = 1
    await expect(zstd({ engine: 'wasm' }).compress(chunk)).rejects.toMatchObject({
      code: 'COMPRESSION_FAILED',
      message: expect.stringMatching(/Node\.js 22\.15/) as string,
    })
  })
})

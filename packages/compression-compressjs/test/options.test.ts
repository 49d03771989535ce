import { isBackupError } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { bz2Compressjs } from '../src/index.js'
import type { Bz2CompressjsOptions } from '../src/index.js'

const refusal = (options: unknown): unknown => {
  try {
    return bz2Compressjs(options as Bz2CompressjsOptions)
  } catch (error) {
    return error
  }
}

describe('the options of bz2Compressjs', () => {
  it('give the name to record, and the other one to read', () => {
    expect([bz2Compressjs().name, bz2Compressjs().aliases]).toEqual(['bz2', ['bzip2']])
    expect([
      bz2Compressjs({ algorithm: 'bzip2' }).name,
      bz2Compressjs({ algorithm: 'bzip2' }).aliases,
    ]).toEqual(['bzip2', ['bz2']])
  })

  it('are refused when they are not allowed, before anything is compressed', () => {
    for (const options of [
      { level: 10 },
      { level: 0 },
      { level: 1.5 },
      { level: '9' },
      { algorithm: 'BZ2' },
    ]) {
      expect(isBackupError(refusal(options), 'OPTION_INVALID'), JSON.stringify(options)).toBe(true)
    }
  })

  it('give the level that the streams say', async () => {
    for (const level of [1, 5, 9]) {
      const compressed = (await bz2Compressjs({ level }).compress(new Uint8Array(1_000)))!
      expect(Buffer.from(compressed.subarray(0, 4)).toString()).toBe(`BZh${level}`)
    }
  })

  it('leave the expected length to be checked by each call', async () => {
    const compressed = (await bz2Compressjs().compress(new Uint8Array(1_000)))!
    for (const length of [-1, 1.5, Number.NaN, Infinity]) {
      await expect(bz2Compressjs().decompress(compressed, length)).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      })
    }
  })

  it('do not let an absurd expected length take memory', async () => {
    const compressed = (await bz2Compressjs().compress(new Uint8Array(1_000)))!
    await expect(bz2Compressjs().decompress(compressed, 2 ** 50)).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    })
  })
})

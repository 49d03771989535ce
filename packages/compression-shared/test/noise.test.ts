import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { looksLikeNoise } from '../src/index.js'

const lengthBytes = 256 * 1024
const text = Buffer.alloc(lengthBytes, 'a chunk of a backup of a volume, once more; ')

describe('the test for noise', () => {
  it('says yes to random bytes', () => {
    for (let time = 0; time < 50; time++) expect(looksLikeNoise(randomBytes(lengthBytes))).toBe(true)
  })

  it('says no to what can be shrunk though its bytes are all as frequent', () => {
    expect(looksLikeNoise(Uint8Array.from({ length: lengthBytes }, (_, at) => at & 0xff))).toBe(false)
    expect(looksLikeNoise(Buffer.alloc(lengthBytes, randomBytes(1_000)))).toBe(false)
  })

  it('says no to text and to too little to judge', () => {
    expect(looksLikeNoise(text)).toBe(false)
    expect(looksLikeNoise(randomBytes(1_000))).toBe(false)
  })
})

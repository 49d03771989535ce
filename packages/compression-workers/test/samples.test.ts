import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isZeros, looksLikeNoise } from '../src/index.js'

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

describe('the test for zeros', () => {
  it('sees one byte that is not zero, wherever it lies', () => {
    for (const length of [0, 1, 65_536, 65_537, 200_000]) {
      const bytes = new Uint8Array(length)
      expect(isZeros(bytes)).toBe(true)
      for (const at of [0, length >> 1, length - 1]) {
        if (length === 0) continue
        bytes[at] = 1
        expect(isZeros(bytes), `${at} of ${length}`).toBe(false)
        bytes[at] = 0
      }
    }
  })

  it('reads a view, and no further', () => {
    const whole = new Uint8Array(1_000).fill(1)
    whole.fill(0, 100, 200)
    expect(isZeros(whole.subarray(100, 200))).toBe(true)
    expect(isZeros(whole.subarray(100, 201))).toBe(false)
  })
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HashList } from '../../src/format/hash-list.js'

function hashOf(number: number): Buffer {
  return createHash('sha256').update(String(number)).digest()
}

function at(list: HashList, index: number): Buffer {
  const target = new Uint16Array(34)
  list.hexInto(index, target, 1)
  return Buffer.from(Buffer.from(target.buffer, 2, 64).toString('latin1'), 'hex')
}

describe('HashList', () => {
  test('behaves as an array of hashes, across the ends of its segments', () => {
    const command = fc.oneof(
      fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ do: fc.constant('put' as const), count: fc.integer({ min: 0, max: 3000 }) }),
      fc.record({ do: fc.constant('extend' as const), count: fc.integer({ min: 0, max: 3000 }) }),
      fc.record({ do: fc.constant('overwrite' as const), count: fc.nat() }),
      fc.record({ do: fc.constant('truncate' as const), count: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        const list = new HashList()
        const model: Buffer[] = []
        let next = 0
        for (const { do: what, count } of commands) {
          if (what === 'add') {
            for (let index = 0; index < count; index++) {
              const hash = hashOf(next++)
              list.put(list.length, hash)
              model.push(hash)
            }
          } else if (what === 'put') {
            const index = (next * 7919) % (model.length + 1100)
            const hashes = Array.from({ length: count }, () => hashOf(next++))
            while (model.length < index) model.push(Buffer.alloc(32))
            list.put(index, Buffer.concat(hashes))
            model.splice(index, count, ...hashes)
          } else if (what === 'extend') {
            list.extend(count)
            while (model.length < count) model.push(Buffer.alloc(32))
          } else if (what === 'overwrite') {
            const index = count % (model.length + 1)
            const hash = hashOf(next++)
            list.overwrite(index, Buffer.concat([Buffer.alloc(3), hash]), 3)
            model[index] = hash
          } else {
            model.length = count % (model.length + 1)
            list.truncate(model.length)
          }
        }
        expect(list.length).toBe(model.length)
        expect(model.every((hash, index) => at(list, index).equals(hash))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('keeps a list of more than two of its longest segments', () => {
    const list = new HashList()
    const count = 2 ** 20 * 2 + 5
    const hash = Buffer.alloc(32)
    for (let index = 0; index < count; index++) {
      hash.writeUInt32LE(index)
      list.put(list.length, hash)
    }
    expect(list.length).toBe(count)
    for (let index = 0; index < count; index += 997) expect(at(list, index).readUInt32LE()).toBe(index)
    expect(at(list, count - 1).readUInt32LE()).toBe(count - 1)
  })

  test('compares all 32 bytes', () => {
    const list = new HashList()
    list.put(list.length, hashOf(1))
    for (let byte = 0; byte < 32; byte++) {
      const other = Buffer.concat([Buffer.alloc(5), hashOf(1)])
      expect(list.equals(0, other, 5)).toBe(true)
      other[5 + byte] = (other[5 + byte] ?? 0) ^ 1
      expect(list.equals(0, other, 5)).toBe(false)
    }
    expect(list.equals(0, hashOf(1).subarray(0, 31), 0)).toBe(false)
  })

  test('has zeros, not what was dropped, where it is extended after it was truncated', () => {
    const list = new HashList()
    list.put(0, Buffer.alloc(32 * 70_000, 1))
    list.truncate(40_000)
    list.extend(70_000)
    expect(at(list, 39_999)).toEqual(Buffer.alloc(32, 1))
    for (const index of [40_000, 65_535, 65_536, 69_999]) expect(at(list, index)).toEqual(Buffer.alloc(32))
  })

  test('starts over after it was truncated to nothing', () => {
    const list = new HashList()
    list.put(0, Buffer.alloc(32 * 5000, 1))
    list.truncate(0)
    list.put(list.length, hashOf(2))
    expect(list.length).toBe(1)
    expect(at(list, 0)).toEqual(hashOf(2))
  })

  test('refuses what is out of range or not 32 bytes', () => {
    const list = new HashList()
    list.put(list.length, hashOf(1))
    expect(() => list.equals(1, hashOf(1), 0)).toThrow(RangeError)
    expect(() => list.equals(-1, hashOf(1), 0)).toThrow(RangeError)
    expect(() => {
      list.overwrite(2, hashOf(1), 0)
    }).toThrow(RangeError)
    expect(() => {
      list.overwrite(0, hashOf(1), 1)
    }).toThrow(RangeError)
    expect(() => {
      list.truncate(2)
    }).toThrow(RangeError)
    expect(() => {
      list.put(list.length, Buffer.alloc(31))
    }).toThrow('32 bytes')
    expect(() => {
      list.put(0, Buffer.alloc(33))
    }).toThrow('32 bytes')
    expect(list.length).toBe(1)
  })
})

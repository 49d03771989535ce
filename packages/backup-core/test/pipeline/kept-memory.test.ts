import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BufferPool, claimMemory, keepMemory } from '../../src/pipeline/buffer-pool.js'

beforeEach(() => {
  vi.useFakeTimers()
  claimMemory('raw', 0)
  claimMemory('stored', 0)
})

afterEach(() => {
  vi.useRealTimers()
})

const memory = (lengthBytes: number): SharedArrayBuffer => new SharedArrayBuffer(lengthBytes)

it('hands the memory of one operation to the next, which takes no fresh memory', () => {
  const first = new BufferPool('raw', 100)
  const used = [first.take(50), first.take(50)]
  for (const buffer of used) first.give(buffer)
  first.close()

  const second = new BufferPool('raw', 100)
  const memories = used.map(({ buffer }) => buffer)
  expect(memories).toContain(second.take(50).buffer)
  expect(memories).toContain(second.take(20).buffer)
  expect(memories).not.toContain(second.take(50).buffer)
})

it('throws no buffer away for one that is a little longer, where each has room for both', () => {
  const pool = new BufferPool('stored', 1000, 100)
  const shorter = pool.take(60)
  expect(shorter).toHaveLength(60)
  pool.give(shorter)
  const longer = pool.take(90)
  expect(longer.buffer).toBe(shorter.buffer)
  expect(longer).toHaveLength(90)
  expect(pool.take(150)).toHaveLength(150)
})

it('gives the smallest buffer that has room, so that a small object does not hold a large one', () => {
  const pool = new BufferPool('raw', 1000)
  const [large, small, middle] = [pool.take(100), pool.take(10), pool.take(50)]
  for (const buffer of [large, small, middle]) pool.give(buffer)
  expect(pool.take(8).buffer).toBe(small.buffer)
  expect(pool.take(20).buffer).toBe(middle.buffer)
  expect(pool.take(60).buffer).toBe(large.buffer)
})

it('gives no buffer to what needs an eighth of it and less, and keeps it for what needs more', () => {
  const pool = new BufferPool('raw', 1000)
  const large = pool.take(100)
  pool.give(large)
  const small = pool.take(12)
  expect(small.buffer).not.toBe(large.buffer)
  pool.give(small)
  expect(pool.take(10).buffer).toBe(small.buffer)
  expect(pool.take(90).buffer).toBe(large.buffer)
})

it('holds no more than it may, in use and free, where letting go of what is free makes that possible', () => {
  const pool = new BufferPool('raw', 100)
  const [one, other] = [pool.take(30), pool.take(30)]
  pool.give(one)
  pool.give(other)
  const longer = pool.take(40)
  pool.give(longer)
  // All three are 100, and stay; one of 60 takes the place of one that is free.
  const kept = [pool.take(30), pool.take(30), pool.take(30)].map(({ buffer }) => buffer)
  expect(kept).toContain(one.buffer)
  expect(kept).toContain(other.buffer)
  expect(kept).toContain(longer.buffer)
  pool.give(longer)
  const largest = pool.take(60)
  expect(largest.buffer).not.toBe(longer.buffer)
  pool.give(largest)
  expect(pool.take(35).buffer).toBe(largest.buffer)
})

it('keeps memory for raw bytes and memory for stored forms apart', () => {
  const [raw, stored] = [memory(10), memory(20)]
  keepMemory('raw', [raw], 100)
  keepMemory('stored', [stored], 100)
  expect(claimMemory('stored', 100)).toEqual([stored])
  expect(claimMemory('raw', 100)).toEqual([raw])
  expect(claimMemory('raw', 100)).toEqual([])
})

it('gives two operations at once nothing of what the other has', () => {
  keepMemory('raw', [memory(10)], 100)
  const [one, other] = [new BufferPool('raw', 100), new BufferPool('raw', 100)]
  expect(one.take(10).buffer).not.toBe(other.take(10).buffer)
})

it('keeps no more than the last operation was allowed, and begins the next with no more than it is', () => {
  const [old, newer] = [memory(60), memory(60)]
  keepMemory('raw', [old], 100)
  keepMemory('raw', [newer], 100)
  expect(claimMemory('raw', 1000)).toEqual([newer])

  keepMemory('raw', [memory(60), memory(30)], 100)
  expect(claimMemory('raw', 40).map(({ byteLength }) => byteLength)).toEqual([30])
  expect(claimMemory('raw', 1000)).toEqual([])
})

it('lets go of it when nothing came for ten seconds, and counts them from the last operation', () => {
  keepMemory('raw', [memory(10)], 100)
  vi.advanceTimersByTime(9_000)
  keepMemory('stored', [memory(10)], 100)
  vi.advanceTimersByTime(9_000)
  const kept = claimMemory('raw', 100)
  expect(kept).toHaveLength(1)
  keepMemory('raw', kept, 100)
  vi.advanceTimersByTime(10_000)
  expect(claimMemory('raw', 100)).toEqual([])
  expect(claimMemory('stored', 100)).toEqual([])
})

import { expect, it } from 'vitest'
import { BufferPool } from '../../src/pipeline/buffer-pool.js'

it('uses a buffer again for a longer length, within the minimum capacity', () => {
  const pool = new BufferPool(1000, 100)
  const shorter = pool.take(60)
  expect(shorter).toHaveLength(60)
  pool.release(shorter)
  const longer = pool.take(90)
  expect(longer.buffer).toBe(shorter.buffer)
  expect(longer).toHaveLength(90)
  expect(pool.take(150)).toHaveLength(150)
})

it('returns the smallest buffer that is large enough', () => {
  const pool = new BufferPool(1000)
  const [large, small, middle] = [pool.take(100), pool.take(10), pool.take(50)]
  for (const buffer of [large, small, middle]) pool.release(buffer)
  expect(pool.take(8).buffer).toBe(small.buffer)
  expect(pool.take(20).buffer).toBe(middle.buffer)
  expect(pool.take(60).buffer).toBe(large.buffer)
})

it('does not use a buffer for an eighth of its capacity or less', () => {
  const pool = new BufferPool(1000)
  const large = pool.take(100)
  pool.release(large)
  const small = pool.take(12)
  expect(small.buffer).not.toBe(large.buffer)
  pool.release(small)
  expect(pool.take(10).buffer).toBe(small.buffer)
  expect(pool.take(90).buffer).toBe(large.buffer)
})

it('frees unused buffers where a new one would exceed the limit', () => {
  const pool = new BufferPool(100)
  const [one, other] = [pool.take(30), pool.take(30)]
  pool.release(one)
  pool.release(other)
  const longer = pool.take(40)
  pool.release(longer)
  // All three are 100, and stay; one of 60 takes the place of one that is free.
  const kept = [pool.take(30), pool.take(30), pool.take(30)].map(({ buffer }) => buffer)
  expect(kept).toContain(one.buffer)
  expect(kept).toContain(other.buffer)
  expect(kept).toContain(longer.buffer)
  pool.release(longer)
  const largest = pool.take(60)
  expect(largest.buffer).not.toBe(longer.buffer)
  pool.release(largest)
  expect(pool.take(35).buffer).toBe(largest.buffer)
})

import { describe, expect, it } from 'vitest'
import { WorkerPool, type WorkerPoolOptions } from '../../src/index.js'

const file = new URL('jobs.mjs', import.meta.url)

const newPool = (options: Partial<WorkerPoolOptions> = {}): WorkerPool =>
  new WorkerPool({ file, purpose: 'test', errorCode: 'COMPRESSION_FAILED', ...options })

/** A job that ends when its number is written to, and where that is done. */
function heldJob(pool: WorkerPool): {
  ended: Promise<unknown>
  started: () => Promise<void>
  end: () => void
} {
  const state = new Int32Array(new SharedArrayBuffer(8))
  return {
    ended: pool.run('hold', { state }),
    async started() {
      await Atomics.waitAsync(state, 0, 0).value
    },
    end() {
      Atomics.store(state, 1, 1)
      Atomics.notify(state, 1)
    },
  }
}

describe('a pool of workers', () => {
  it('runs an exported function of its file, and returns what that returned', async () => {
    expect(await newPool().run('double', { number: 21 })).toBe(42)
  })

  it('fails the job whose function throws, with the code of the pool and the cause', async () => {
    const pool = newPool()
    const [first, second] = await Promise.allSettled([
      pool.run('fail', {}),
      pool.run('double', { number: 1 }),
    ])
    expect(first).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'COMPRESSION_FAILED',
        message: 'A test worker failed: the engine is out of order. Try again.',
        cause: { message: 'the engine is out of order' },
      },
    })
    expect(second).toEqual({ status: 'fulfilled', value: 2 })
  })

  it('fails the job whose worker ends, and starts another one for the next', async () => {
    const pool = newPool()
    for (let time = 0; time < 3; time++) {
      await expect(pool.run('die', {})).rejects.toMatchObject({ code: 'COMPRESSION_FAILED' })
      expect(await pool.run('double', { number: time })).toBe(time * 2)
    }
  })

  it.each([
    ['a job that its file has not', file, 'missing', {}],
    ['a file that is not there', new URL('not-there.mjs', file), 'double', { number: 1 }],
    ['an argument that cannot be copied', file, 'double', { number: () => 1 }],
    ['a result that cannot be copied', file, 'returnFunction', {}],
  ])('fails %s', async (_what, from, job, data) => {
    await expect(newPool({ file: from }).run(job, data)).rejects.toMatchObject({ code: 'COMPRESSION_FAILED' })
  })

  it('starts no more workers than it may, and a job waits until one is free', async () => {
    const pool = newPool({ maxWorkers: 1 })
    const held = heldJob(pool)
    await held.started()
    let isOver = false
    const waiting = pool.run('thread', {}).finally(() => (isOver = true))
    expect([pool.size, isOver]).toEqual([1, false])
    held.end()
    expect(await waiting).toBe(await held.ended)
  })

  it('gives a worker several jobs at the same time where it may have them', async () => {
    const pool = newPool({ maxWorkers: 1, maxJobsPerWorker: 2 })
    const pending = pool.run('never', {})
    expect(await pool.run('double', { number: 4 })).toBe(8)
    await expect(pool.run('die', {})).rejects.toMatchObject({ code: 'COMPRESSION_FAILED' })
    await expect(pending).rejects.toMatchObject({ code: 'COMPRESSION_FAILED' })
  })

  it('ends the worker of an aborted job, and never begins one that waits', async () => {
    const pool = newPool({ maxWorkers: 1 })
    const [running, waiting] = [new AbortController(), new AbortController()]
    const first = pool.run('never', {}, { signal: running.signal })
    const second = pool.run('die', {}, { signal: waiting.signal })
    const third = pool.run('double', { number: 5 })
    waiting.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    running.abort()
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await third).toBe(10)
  })

  it('runs nothing for a signal that is aborted before', async () => {
    const pool = newPool()
    await expect(pool.run('double', { number: 1 }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(pool.size).toBe(0)
  })

  it('ends workers that are idle, and starts new ones afterwards', async () => {
    const pool = newPool({ idleTimeoutMs: 1 })
    const before = await pool.run('thread', {})
    await expect.poll(() => pool.size).toBe(0)
    expect(await pool.run('thread', {})).not.toBe(before)
  })
})

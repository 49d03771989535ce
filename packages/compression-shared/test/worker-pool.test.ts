import { describe, expect, it } from 'vitest'
import { runInWorker } from '../src/index.js'

const file = new URL('workers/worker.mjs', import.meta.url)
const run = (job: string, data: unknown = {}): Promise<unknown> => runInWorker({ file, job, data })

describe('the worker pool', () => {
  it('runs the named export of a worker file', async () => {
    expect(await run('double', { number: 21 })).toBe(42)
  })

  it('fails the one job whose worker throws, and keeps the cause', async () => {
    const [first, second] = await Promise.allSettled([run('fail'), run('double', { number: 1 })])
    expect(first).toMatchObject({
      status: 'rejected',
      reason: { code: 'COMPRESSION_FAILED', cause: { message: 'the engine is out of order' } },
    })
    expect(second).toEqual({ status: 'fulfilled', value: 2 })
  })

  it('fails the one job whose worker dies, and has another worker for the next', async () => {
    for (let time = 0; time < 3; time++) {
      await expect(run('die')).rejects.toMatchObject({ code: 'COMPRESSION_FAILED' })
      expect(await run('double', { number: time })).toBe(time * 2)
    }
  })
})

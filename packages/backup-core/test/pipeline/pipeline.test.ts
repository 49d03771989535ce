import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackupError } from '../../src/errors/backup-error.js'
import { ByteBudget } from '../../src/pipeline/byte-budget.js'
import {
  chunkMemoryBytes,
  MAX_JOIN_GAP_BYTES,
  planChunks,
  STREAMED_PIECES,
  type CompressorInput,
} from '../../src/pipeline/memory-plan.js'
import { runPipeline, type PipelineContext } from '../../src/pipeline/pipeline.js'

const limits = { concurrency: 3, memoryBytes: 5, operation: 'The test' }

async function* numbers(count: number, context: PipelineContext): AsyncGenerator<number> {
  for (let index = 0; index < count; index += 1) {
    await context.budget.take(1, 'new')
    yield index
  }
}

describe('runPipeline', () => {
  it('takes turns in the order of the source, however long the work before them takes', async () => {
    const order: number[] = []
    await runPipeline(
      limits,
      (context) => numbers(30, context),
      async (item, context, turn) => {
        await sleep((item * 7) % 5)
        await turn(() => order.push(item))
        context.budget.release(1)
      },
    )
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index))
  })

  it('lets turns go on when one is never taken', async () => {
    const order: number[] = []
    await runPipeline(
      limits,
      (context) => numbers(6, context),
      async (item, context, turn) => {
        if (item !== 2) await turn(() => order.push(item))
        context.budget.release(1)
      },
    )
    expect(order).toEqual([0, 1, 3, 4, 5])
  })

  it('never lets more be in memory than its bound, and uses all of it', async () => {
    let held = 0
    let most = 0
    await runPipeline(
      limits,
      async function* (context) {
        for await (const item of numbers(40, context)) {
          held += 1
          most = Math.max(most, held)
          yield item
        }
      },
      async (_item, context) => {
        await sleep(1)
        held -= 1
        context.budget.release(1)
      },
    )
    expect(most).toBe(5)
  })

  it('throws the first failure, after the source and all work have ended', async () => {
    let running = 0
    let sourceClosed = false
    const failure = new BackupError('NO_SPACE', 'full')
    const outcome = runPipeline(
      limits,
      async function* (context) {
        try {
          yield* numbers(100, context)
        } finally {
          sourceClosed = true
        }
      },
      async (item, context) => {
        running += 1
        try {
          await tick()
          if (item === 3) throw failure
          await sleep(5)
          context.signal.throwIfAborted()
          context.budget.release(1)
        } finally {
          running -= 1
        }
      },
    )
    await expect(outcome).rejects.toBe(failure)
    expect(running).toBe(0)
    expect(sourceClosed).toBe(true)
  })

  it('fails whoever waits for memory or for a turn, so that a failure never hangs', async () => {
    const outcome = runPipeline(
      { ...limits, memoryBytes: 2 },
      (context) => numbers(10, context),
      async (item, context, turn) => {
        if (item === 0) {
          await sleep(5)
          throw new BackupError('OBJECT_CORRUPT', 'first')
        }
        await turn(() => undefined)
        await context.budget.take(2, 'inProgress')
      },
    )
    await expect(outcome).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' })
  })

  it('ends with ABORTED and the reason as its cause when the caller aborts', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let worked = 0
    const outcome = runPipeline(
      { ...limits, signal: controller.signal },
      (context) => numbers(1000, context),
      async (_item, context) => {
        worked += 1
        if (worked === 4) controller.abort(reason)
        await sleep(1)
        context.budget.release(1)
      },
    )
    await expect(outcome).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
    expect(worked).toBeLessThan(20)
  })

  it('does not start the source at all under a signal that has been aborted', async () => {
    let started = false
    const outcome = runPipeline(
      { ...limits, signal: AbortSignal.abort() },
      // eslint-disable-next-line require-yield
      async function* () {
        started = true
      },
      () => Promise.resolve(),
    )
    await expect(outcome).rejects.toMatchObject({ code: 'ABORTED' })
    expect(started).toBe(false)
  })

  it('wraps an error that is not its own and keeps it as the cause', async () => {
    const cause = new TypeError('odd')
    const outcome = runPipeline(
      limits,
      (context) => numbers(1, context),
      () => Promise.reject(cause),
    )
    await expect(outcome).rejects.toMatchObject({ code: 'STORE_FAILED', cause })
  })
})

describe('ByteBudget', () => {
  it('lets one through alone that asks for more than there is', async () => {
    const budget = new ByteBudget(10)
    await budget.take(25, 'new')
    let second = false
    const waiting = budget.take(1, 'new').then(() => {
      second = true
    })
    await tick()
    expect(second).toBe(false)
    budget.release(25)
    await waiting
    expect(second).toBe(true)
  })

  it('keeps its reserve from new work and gives it to work under way', async () => {
    const budget = new ByteBudget(10, 4)
    await budget.take(6, 'new')
    let fresh = false
    const waiting = budget.take(1, 'new').then(() => {
      fresh = true
    })
    await budget.take(4, 'inProgress')
    await tick()
    expect(fresh).toBe(false)
    budget.release(6)
    await waiting
  })
})

describe('planChunks, of chunks that are held', () => {
  it('keeps chunks within the cap and (concurrency + 2) × object size, in whole blocks, for any backup', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.option(fc.nat(100_000_000), { nil: undefined }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 200_000_000 }),
        fc.boolean(),
        fc.constantFrom(null, 'one', 'parts'),
        (blockSizeBytes, blocks, volumeSizeBytes, concurrency, maxMemoryBytes, incremental, compressed) => {
          const chunkSizeBytes = blockSizeBytes * blocks
          const plan = planChunks({
            blockSizeBytes,
            chunkSizeBytes,
            volumeSizeBytes,
            incremental,
            compressorInput: compressed,
            canStream: false,
            concurrency,
            streamedConcurrency: concurrency,
            maxMemoryBytes,
          })
          const { objectSizeBytes, pieceSizeBytes, memoryBytes, reserveBytes } = plan
          expect(objectSizeBytes % blockSizeBytes).toBe(0)
          expect(objectSizeBytes).toBeGreaterThanOrEqual(blockSizeBytes)
          expect(objectSizeBytes).toBeLessThanOrEqual(chunkSizeBytes)
          expect(pieceSizeBytes % blockSizeBytes).toBe(0)
          expect(pieceSizeBytes).toBeGreaterThanOrEqual(blockSizeBytes)
          expect(pieceSizeBytes).toBeLessThanOrEqual(objectSizeBytes)
          // A gap that is stored lies in pieces that are held.
          if (pieceSizeBytes < objectSizeBytes) expect(pieceSizeBytes).toBeGreaterThan(MAX_JOIN_GAP_BYTES)
          expect(plan.concurrency).toBeGreaterThanOrEqual(1)
          expect(plan.concurrency).toBeLessThanOrEqual(concurrency)
          expect(memoryBytes).toBeLessThanOrEqual((plan.concurrency + 2) * objectSizeBytes)
          // A chunk's changes are held until all of them are known; then the largest of them may have to be put
          // together and compressed while they are.
          expect(memoryBytes - reserveBytes).toBeGreaterThanOrEqual(objectSizeBytes)
          const largest = incremental && compressed === 'one' ? 2 : 1
          if (compressed) expect(reserveBytes).toBe(largest * objectSizeBytes)
          // Below three blocks there is nothing left to make smaller, and one chunk alone needs no third.
          const alone = volumeSizeBytes !== undefined && objectSizeBytes >= volumeSizeBytes
          if (!alone && maxMemoryBytes >= 3 * blockSizeBytes) {
            expect(memoryBytes).toBeLessThanOrEqual(maxMemoryBytes)
          }
        },
      ),
    )
  })

  const large = {
    blockSizeBytes: 32_768,
    volumeSizeBytes: 2 ** 40,
    canStream: false,
    concurrency: 2,
    streamedConcurrency: 4,
    maxMemoryBytes: 2 ** 30,
  }
  const chunkSizeBytes = 52_428_800

  it('keeps the chunk size, as Cinder would, where memory allows', () => {
    const plan = (incremental: boolean, compressorInput: CompressorInput | null): unknown =>
      planChunks({ ...large, chunkSizeBytes, incremental, compressorInput })
    const pieceSizeBytes = 124 * 32_768
    const common = {
      ...{ streamed: false, objectSizeBytes: chunkSizeBytes, pieceSizeBytes },
      ...{ piecesInMemory: 2, concurrency: 2 },
    }
    expect(plan(false, null)).toEqual({
      ...common,
      contiguous: true,
      memoryBytes: 2.5 * chunkSizeBytes,
      reserveBytes: 0,
    })
    expect(plan(false, 'one')).toEqual({
      ...common,
      contiguous: true,
      memoryBytes: 3.5 * chunkSizeBytes,
      reserveBytes: chunkSizeBytes,
    })
    expect(plan(true, null)).toEqual({
      ...common,
      contiguous: false,
      memoryBytes: 2 * chunkSizeBytes,
      reserveBytes: 0,
    })
    expect(plan(true, 'one')).toEqual({
      ...common,
      contiguous: false,
      memoryBytes: 3 * chunkSizeBytes,
      reserveBytes: 2 * chunkSizeBytes,
    })
    expect(plan(true, 'parts')).toEqual({
      ...common,
      contiguous: false,
      memoryBytes: 2.25 * chunkSizeBytes,
      reserveBytes: chunkSizeBytes,
    })
  })

  it('reads a small chunk ahead whole, so that another is ready when one is stored', () => {
    const small = 4 * 1024 * 1024
    const plan = planChunks({ ...large, chunkSizeBytes: small, incremental: false, compressorInput: null })
    expect(plan.memoryBytes).toBe(3 * small)
  })

  it('makes objects smaller where the cap does not hold three chunks', () => {
    const plan = planChunks({
      ...large,
      chunkSizeBytes: 1_999_994_880,
      incremental: false,
      compressorInput: 'one',
    })
    expect(plan.concurrency).toBe(1)
    expect(plan.objectSizeBytes).toBeLessThan(1_999_994_880)
    expect(plan.memoryBytes).toBeLessThanOrEqual(2 ** 30)
  })
})

describe('planChunks, of chunks that are sent while they are read', () => {
  it('holds whole blocks, less than a chunk of each chunk, and no more than the limit, or holds chunks', () => {
    let sent = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_000_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 100_000_000 }),
        (blockSizeBytes, blocks, concurrency, maxMemoryBytes) => {
          const chunkSizeBytes = blockSizeBytes * blocks
          const plan = planChunks({
            volumeSizeBytes: 2 ** 40,
            ...{ chunkSizeBytes, blockSizeBytes, maxMemoryBytes },
            ...{ concurrency: 1, streamedConcurrency: concurrency },
            ...{ incremental: false, compressorInput: null, canStream: true },
          })
          const minBytes = STREAMED_PIECES * Math.max(blockSizeBytes, 2 ** 20)
          if (!plan.streamed) {
            expect(Math.min(chunkSizeBytes, maxMemoryBytes)).toBeLessThanOrEqual(minBytes)
            return
          }
          sent += 1
          const windowBytes = chunkMemoryBytes(plan, chunkSizeBytes)
          expect(plan.objectSizeBytes).toBe(chunkSizeBytes)
          expect(plan.pieceSizeBytes % blockSizeBytes).toBe(0)
          expect(windowBytes).toBe(STREAMED_PIECES * plan.pieceSizeBytes)
          expect(windowBytes).toBeLessThan(chunkSizeBytes)
          expect(plan.concurrency).toBeGreaterThanOrEqual(1)
          expect(plan.concurrency).toBeLessThanOrEqual(concurrency)
          expect(plan.memoryBytes).toBe(plan.concurrency * windowBytes)
          expect(plan.memoryBytes).toBeLessThanOrEqual(maxMemoryBytes)
        },
      ),
    )
    expect(sent).toBeGreaterThan(10)
  })

  it.each([
    ['incremental', { incremental: true }],
    ['compressed', { compressorInput: 'parts' as const }],
    ['of a source or a store that does not allow it', { canStream: false }],
  ])('holds the chunks of a backup that is %s', (_, other) => {
    const plan = planChunks({
      ...{ volumeSizeBytes: 2 ** 40, chunkSizeBytes: 2 ** 25, blockSizeBytes: 2 ** 15 },
      ...{ concurrency: 2, streamedConcurrency: 4, maxMemoryBytes: 2 ** 30 },
      ...{ incremental: false, compressorInput: null, canStream: true },
      ...other,
    })
    expect(plan.streamed).toBe(false)
  })
})

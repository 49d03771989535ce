import { BackupError, isBackupError } from '../errors/backup-error.js'
import { abortedError } from '../errors/abort.js'
import { BufferPool } from './buffer-pool.js'
import { ByteBudget } from './byte-budget.js'
import { Slots } from './slots.js'

/** What a pipeline may use. */
export interface PipelineLimits {
  /** How many objects may be worked on at once. */
  readonly concurrency: number
  /** The same for small objects, which have slots of their own. @default as many */
  readonly smallConcurrency?: number
  /** The most bytes that items may hold between them. */
  readonly memoryBytes: number
  /** The part of it that new items may not take, so that those in work can go on. @default 0 */
  readonly reserveBytes?: number
  /** What each stored buffer has room for at least, where their lengths vary and only those in work have one. @default 0 */
  readonly minStoredBufferBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Names the operation in the error of an abort: `The backup`. */
  readonly operation: string
}

/** What the pipeline hands to those who fill it and work in it. */
export interface PipelineContext {
  /** Aborted by the caller's abort and by the first failure, whose error is its reason. */
  readonly signal: AbortSignal
  /** Stops the pipeline as an item that rejects does, for one that has work to wait for before it rejects. */
  readonly fail: (error: unknown) => void
  readonly budget: ByteBudget
  readonly buffers: BufferPool
  /**
   * Buffers for what is made of chunks: runs of changes put together, and compressed forms. Apart from the others: of a
   * buffer for a compressed form only what that takes is ever touched, and memory that is not touched is none.
   */
  readonly storedBuffers: BufferPool
  /** Bounds the costly steps: hashing, compressing, storing, fetching. */
  readonly slots: Slots
}

/**
 * Runs a step when every item before this one has run its own: numbers and lists come out in the order of the
 * source, however the work between overlaps. Each item has exactly one turn, taken or not.
 */
export type Turn = <T>(step: () => T) => Promise<T>

/**
 * The one pipeline of backup, restore and verify. `source` yields items in order, and takes the memory of each from
 * the budget before it makes it: that is what holds it back. Every item is worked on as soon as it is there.
 *
 * The first error, or the caller's abort, stops the source, aborts the context's signal and fails whoever waits for
 * memory. The promise settles after the source and every piece of work have ended: nothing runs on behind the
 * caller's back. A failure after the first is a consequence of it and is dropped.
 */
export async function runPipeline<Item>(
  limits: PipelineLimits,
  source: (context: PipelineContext) => AsyncIterable<Item>,
  work: (item: Item, context: PipelineContext, turn: Turn) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const budget = new ByteBudget(limits.memoryBytes, limits.reserveBytes)
  const stopped = (): boolean => stop.signal.aborted
  const fail = (error: unknown): void => {
    if (stopped()) return
    const failure = isBackupError(error) ? error : unexpected(limits.operation, error)
    stop.abort(failure)
    budget.fail(failure)
  }
  const context: PipelineContext = {
    signal: stop.signal,
    fail,
    budget,
    buffers: new BufferPool('raw', limits.memoryBytes),
    storedBuffers: new BufferPool('stored', limits.memoryBytes, limits.minStoredBufferBytes),
    slots: new Slots({
      chunks: limits.concurrency,
      smallObjects: limits.smallConcurrency ?? limits.concurrency,
    }),
  }
  const onAbort = (): void => {
    if (limits.signal) fail(abortedError(limits.signal, limits.operation))
  }
  if (limits.signal?.aborted) onAbort()
  limits.signal?.addEventListener('abort', onAbort, { once: true })

  const running = new Set<Promise<void>>()
  let turns: Promise<void> = Promise.resolve()
  try {
    if (!stopped()) {
      for await (const item of source(context)) {
        const { turn, next } = takeTurn(turns, stop.signal)
        turns = next.done
        const task = work(item, context, turn)
          .catch(fail)
          .finally(() => {
            next.pass()
            running.delete(task)
          })
        running.add(task)
        if (stopped()) break
      }
    }
  } catch (error) {
    fail(error)
  } finally {
    await Promise.all(running)
    context.buffers.close()
    context.storedBuffers.close()
    limits.signal?.removeEventListener('abort', onAbort)
  }
  if (stopped()) throw stop.signal.reason
}

/** A turn that comes when `before` has passed. */
function takeTurn(
  before: Promise<void>,
  signal: AbortSignal,
): { turn: Turn; next: { done: Promise<void>; pass: () => void } } {
  let pass: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    pass = resolve
  })
  const turn: Turn = async (step) => {
    await before
    // Those before may have ended by failing, without their step: theirs is the error to tell.
    signal.throwIfAborted()
    try {
      return step()
    } finally {
      pass()
    }
  }
  // A turn that is never taken passes when its work ends, but not before the turns that precede it.
  return { turn, next: { done, pass: () => void before.then(pass) } }
}

function unexpected(operation: string, cause: unknown): BackupError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new BackupError('STORE_FAILED', `${operation} failed: ${message}`, { cause })
}

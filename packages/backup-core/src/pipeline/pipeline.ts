import { abortedError, BackupError, isBackupError } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import { BufferPool } from './buffer-pool.js'
import { ByteBudget } from './byte-budget.js'
import { allowManyListeners } from './many-listeners.js'
import { Slots } from './slots.js'

/** The limits of a pipeline. */
export interface PipelineLimits {
  /** How many objects may be worked on concurrently. */
  readonly concurrency: number
  /** The same for small objects, which have their own slots. @default the same number */
  readonly smallConcurrency?: number
  /** The maximum number of bytes that all items may hold together. */
  readonly memoryBytes: number
  /** The part of it that new items may not take, so that items in progress can continue. @default 0 */
  readonly reserveBytes?: number
  /** The minimum capacity of a buffer for stored forms, where their lengths vary. @default 0 */
  readonly minStoredBufferBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Names the operation in the error of an abort: `The backup`. */
  readonly operation: string
}

/** What the pipeline passes to its source and to the work on an item. */
export interface PipelineContext {
  /** Aborted by the caller's abort, and by the first failure, whose error is its reason. */
  readonly signal: AbortSignal
  /** Stops the pipeline as a rejected item does, for an item that must wait for other work before it rejects. */
  readonly fail: (error: unknown) => void
  readonly budget: ByteBudget
  readonly buffers: BufferPool
  /**
   * Buffers for runs of changes that are copied together, and for compressed data. They are separate from the others, since
   * only the part that the compressed data takes is ever touched, and memory that is not touched takes no pages.
   */
  readonly storedBuffers: BufferPool
  /** Limits the costly steps: compressing, storing, fetching. */
  readonly slots: Slots
}

/**
 * Runs a step after those of all previous items, so that numbers and lists are in the order of the source although items
 * are worked on concurrently. To be called at most once for each item.
 */
export type InOrder = <T>(step: () => T) => Promise<T>

/**
 * The pipeline of backup, restore and verify. `source` yields items in order, and takes the memory of each from the budget
 * before it reads it, which is the backpressure. The work on an item begins as soon as it is yielded.
 *
 * The first error, or the caller's abort, stops the source, aborts the context's signal and rejects all waits for memory.
 * The promise settles after the source and all work have ended. A failure after the first is a consequence of it, and is
 * dropped.
 */
export async function runPipeline<Item>(
  limits: PipelineLimits,
  source: (context: PipelineContext) => AsyncIterable<Item>,
  work: (item: Item, context: PipelineContext, inOrder: InOrder) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  allowManyListeners(stop.signal)
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
    buffers: new BufferPool(limits.memoryBytes),
    storedBuffers: new BufferPool(limits.memoryBytes, limits.minStoredBufferBytes),
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
  let lastStep: Promise<void> = Promise.resolve()
  try {
    if (!stopped()) {
      for await (const item of source(context)) {
        const previousStep = lastStep
        let endStep: () => void = () => undefined
        lastStep = new Promise((resolve) => {
          endStep = resolve
        })
        const inOrder: InOrder = async (step) => {
          await previousStep
          // A previous item may have failed before its step: its error is the one to report.
          stop.signal.throwIfAborted()
          try {
            return step()
          } finally {
            endStep()
          }
        }
        const task = work(item, context, inOrder)
          .catch(fail)
          .finally(() => {
            // The step of an item that has none ends with its work, but not before the previous steps.
            void previousStep.then(endStep)
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
    limits.signal?.removeEventListener('abort', onAbort)
  }
  if (stopped()) throw stop.signal.reason
}

function unexpected(operation: string, cause: unknown): BackupError {
  return new BackupError('STORE_FAILED', `${operation} failed: ${messageOf(cause)}`, { cause })
}

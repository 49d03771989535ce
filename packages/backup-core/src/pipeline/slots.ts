import { availableParallelism } from 'node:os'
import { limitFunction } from 'p-limit'

/** How many objects may be compressed, stored or fetched concurrently. */
export interface SlotCounts {
  /** Objects of which each keeps a core busy. */
  readonly chunks: number
  /** Chunks that are sent while they are read, of which each takes little memory. */
  readonly streamedChunks: number
  /** Objects of at most {@link SMALL_OBJECT_BYTES}. */
  readonly smallObjects: number
}

/** For an object up to this length most of the time is the store's latency: all else takes a millisecond or two. */
export const SMALL_OBJECT_BYTES = 256 * 1024

/** How many small requests are sent concurrently: enough to hide a store's latency, and few enough not to burden it. */
export const CONCURRENT_REQUESTS = 8

/** How many chunks are streamed at least: a store takes its time to make one durable, in which others are sent. */
const MIN_STREAMED_CHUNKS = 4

/**
 * One chunk for each core: more of them take memory and add no speed, since hashing and compressing keep the cores busy.
 * Streamed chunks and small objects wait for the store instead, and take little memory.
 *
 * @param chosen - the caller's `concurrency`, which applies to small objects too
 */
export function concurrencyFrom(chosen: number | undefined): SlotCounts {
  const chunks = chosen ?? Math.min(8, Math.max(2, availableParallelism()))
  const streamedChunks = chosen ?? Math.max(MIN_STREAMED_CHUNKS, chunks)
  return { chunks, streamedChunks, smallObjects: chosen ?? CONCURRENT_REQUESTS }
}

/** How many objects of at most that length may be worked on concurrently. */
export function concurrencyFor(
  { chunks, smallObjects }: Pick<SlotCounts, 'chunks' | 'smallObjects'>,
  lengthBytes: number,
): number {
  return lengthBytes <= SMALL_OBJECT_BYTES ? smallObjects : chunks
}

/** Runs a task as soon as fewer than the maximum run, in the order of the calls. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>

export function limitTo(concurrency: number): Limit {
  return limitFunction(<T>(task: () => Promise<T>) => task(), { concurrency })
}

/** Limits the costly steps: of small objects, and of all others. */
export class Slots {
  readonly #chunks: Limit
  readonly #smallObjects: Limit

  constructor({ chunks, smallObjects }: Pick<SlotCounts, 'chunks' | 'smallObjects'>) {
    this.#chunks = limitTo(chunks)
    this.#smallObjects = limitTo(smallObjects)
  }

  run<T>(lengthBytes: number, task: () => Promise<T>): Promise<T> {
    return lengthBytes <= SMALL_OBJECT_BYTES ? this.#smallObjects(task) : this.#chunks(task)
  }
}

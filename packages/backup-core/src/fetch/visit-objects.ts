import type { VisibleObject } from '../chain/extent-map.js'
import type { Sha256file } from '../format/sha256file.js'
import type { ByteProgressListener } from '../contracts/progress.js'
import { MemoryLease } from '../pipeline/byte-budget.js'
import { planFetchMemory } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import { concurrencyFor } from '../pipeline/slots.js'
import { fetchRanges, rangesOf, totalBytes } from './ranged-fetch.js'
import { canFetchInPieces, ObjectFetch, fetchMemoryBytes, type ChainJob } from './fetch-object.js'

/** What to do with objects, several of them concurrently. */
export interface ObjectVisitor {
  /** How many bytes an object counts in the progress. */
  countedBytes(item: VisibleObject): number
  /**
   * Takes an object's bytes, verified by its MD5 or by block hashes: all in one call, or in pieces in order where memory
   * does not hold it or little of it is visible. They are valid until the promise resolves.
   *
   * @param offsetBytes - where in the volume the bytes begin
   * @param onUsed - must be called with the bytes that the visitor has processed since the last call
   */
  visit(
    item: VisibleObject,
    bytes: Uint8Array,
    offsetBytes: number,
    onUsed: (lengthBytes: number) => void,
  ): Promise<void>
  /** Decides on a failure: returns to continue without the object, or throws. @default throws */
  failed?(item: VisibleObject, error: unknown): void
}

/** How objects are visited. */
export interface VisitOptions {
  readonly signal: AbortSignal | undefined
  /** Names the operation in errors: `The restore`. */
  readonly operation: string
  readonly meter: ProgressMeter
  /** Verify ranges of objects of which little is visible. @default objects are fetched whole */
  readonly blockHashes?: Sha256file | undefined
}

/** What the budget counts for an object that is read in pieces; backends and compressors may hold more. */
export const PIECES_BYTES = 4 * 1024 * 1024

/** Fetches objects of a chain, each once, in the memory that the job allows. */
export async function visitObjects(
  job: ChainJob,
  items: readonly VisibleObject[],
  visitor: ObjectVisitor,
  { blockHashes, meter, ...options }: VisitOptions,
): Promise<void> {
  const limits = fetchLimits(job, items)
  const source = async function* (context: PipelineContext): AsyncGenerator<ObjectVisit> {
    for (const item of items) {
      const { object } = item
      const inPieces = fetchMemoryBytes(object) > limits.memoryBytes && canFetchInPieces(job, object)
      const bytes = inPieces ? Math.min(PIECES_BYTES, limits.memoryBytes) : fetchMemoryBytes(object)
      const memory = await MemoryLease.take(context.budget, bytes)
      yield new ObjectVisit(new ObjectFetch(job, item, context), item, visitor, meter, memory, inPieces)
    }
  }
  const work = async (visit: ObjectVisit): Promise<void> => {
    try {
      await visit.run(blockHashes)
    } catch (error) {
      if (!visitor.failed) throw error
      visitor.failed(visit.item, error)
    } finally {
      visit.memory.keepOnly(0)
    }
  }
  await runPipeline({ ...limits, ...options }, source, work)
}

/** Returns how many objects are fetched concurrently, and their memory. */
export function fetchLimits(
  { concurrency, maxMemoryBytes }: Pick<ChainJob, 'concurrency' | 'maxMemoryBytes'>,
  items: readonly Pick<VisibleObject, 'object'>[],
): { concurrency: number; smallConcurrency: number; memoryBytes: number } {
  let largestObjectBytes = 1
  let compressed = false
  for (const { object } of items) {
    largestObjectBytes = Math.max(largestObjectBytes, object.lengthBytes)
    compressed ||= object.compression !== 'none'
  }
  const plan = planFetchMemory({
    ...{ largestObjectBytes, compressed, maxMemoryBytes },
    concurrency: concurrencyFor(concurrency, largestObjectBytes),
  })
  return { ...plan, smallConcurrency: concurrency.smallObjects }
}

/** Half of an object's progress is to fetch and decompress it; the visitor's work is the other half. */
const FETCH_FRACTION = 1 / 2

/** An object that is fetched and passed to the visitor, its progress, and its memory. */
class ObjectVisit {
  readonly #onFetched: ByteProgressListener
  readonly #onDecompressed: ByteProgressListener
  /** Both together, for an object that is read in pieces for its check. */
  readonly #onChecked: ByteProgressListener
  readonly #portion: Portion
  /** Counts bytes that the visitor has processed. Throws after an abort, which ends the visit of a large object. */
  readonly #use: (lengthBytes: number) => void

  /** @param memory - holds `fetchMemoryBytes` of the object where it is fetched whole */
  constructor(
    private readonly fetch: ObjectFetch,
    readonly item: VisibleObject,
    private readonly visitor: ObjectVisitor,
    private readonly meter: ProgressMeter,
    readonly memory: MemoryLease,
    private readonly inPieces: boolean,
  ) {
    const countedBytes = visitor.countedBytes(item)
    const portion = new Portion(meter, countedBytes)
    const fetchedFraction = item.object.compression === 'none' ? FETCH_FRACTION : FETCH_FRACTION / 2
    this.#portion = portion
    this.#onFetched = portion.step(0, fetchedFraction)
    this.#onDecompressed = portion.step(fetchedFraction, FETCH_FRACTION)
    this.#onChecked = portion.step(0, FETCH_FRACTION)
    const used = portion.step(FETCH_FRACTION, 1)
    let usedBytes = 0
    this.#use = (lengthBytes) => {
      fetch.context.signal.throwIfAborted()
      usedBytes += lengthBytes
      used(usedBytes, countedBytes)
    }
  }

  /** Reads the visible parts of the object, where that saves enough and block hashes verify them; else all of it. */
  async run(blockHashes: Sha256file | undefined): Promise<void> {
    const storedBytes =
      (await this.#ranges(blockHashes)) ?? (await (this.inPieces ? this.#pieces() : this.#whole()))
    this.#portion.finish()
    this.meter.add({ transferredBytes: storedBytes, objects: 1 })
  }

  async #ranges(blockHashes: Sha256file | undefined): Promise<number | undefined> {
    const ranges = blockHashes && rangesOf(this.item, blockHashes.header.blockSizeBytes)
    if (!blockHashes || !ranges || totalBytes(ranges) > this.memory.bytes) return undefined
    const { buffers, signal, slots } = this.fetch.context
    const readBytes = totalBytes(ranges)
    const buffer = buffers.take(readBytes)
    try {
      const read = () => fetchRanges(this.fetch, this.item, ranges, blockHashes, buffer)
      const fetched = await slots.run(readBytes, read)
      signal.throwIfAborted()
      for (const { bytes, offsetBytes } of fetched ?? []) await this.#visit(bytes, offsetBytes)
      return fetched && readBytes
    } finally {
      buffers.release(buffer)
    }
  }

  /** Reads the object once for its check and once more for its bytes, which are checked again. */
  async #pieces(): Promise<number> {
    const { lengthBytes, offsetBytes } = this.item.object
    return this.fetch.context.slots.run(lengthBytes, async () => {
      await this.fetch.retryIfCorrupt(() =>
        this.fetch.inPieces((piece, atBytes) => {
          this.#onChecked(atBytes + piece.length, lengthBytes)
          return Promise.resolve()
        }),
      )
      return this.fetch.inPieces((piece, atBytes) => this.#visit(piece, offsetBytes + atBytes))
    })
  }

  /**
   * Fetches an object whole, twice where the first time fails its check, and passes its bytes to the visitor.
   *
   * Fetching and decompressing take a slot; checking and writing do not, so that the next object is fetched while this one is
   * written. The memory of the stored form is released as soon as the object is decompressed. A second attempt releases
   * everything that the object holds before it waits for memory again.
   */
  async #whole(): Promise<number> {
    const { buffers, signal } = this.fetch.context
    const { object } = this.item
    let buffer: Uint8Array | undefined
    const release = (): void => {
      if (buffer) buffers.release(buffer)
      buffer = undefined
    }
    try {
      const { raw, storedBytes } = await this.fetch.retryIfCorrupt(async (again) => {
        release()
        if (again) await this.memory.retake(fetchMemoryBytes(object))
        buffer = buffers.take(object.lengthBytes)
        const fetched = await this.fetch.whole(buffer, {
          checkedByStore: again,
          onFetched: this.#onFetched,
          onDecompressed: this.#onDecompressed,
        })
        this.memory.keepOnly(object.lengthBytes)
        await this.fetch.checkMd5(fetched.raw)
        this.#portion.reach(FETCH_FRACTION)
        return fetched
      })
      signal.throwIfAborted()
      await this.#visit(raw, object.offsetBytes)
      return storedBytes
    } finally {
      release()
    }
  }

  #visit(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    return this.visitor.visit(this.item, bytes, offsetBytes, this.#use)
  }
}

import type { VisibleObject } from '../chain/extent-map.js'
import type { BlockHashes } from '../chain/volume-size.js'
import type { StepListener } from '../contracts/progress.js'
import { BudgetShare } from '../pipeline/byte-budget.js'
import { planFetchMemory } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import { concurrencyFor } from '../pipeline/slots.js'
import { fetchRanges, rangesOf, totalBytes } from './block-proof.js'
import {
  canFetchInPieces,
  checkMd5,
  fetchInPieces,
  fetchWhole,
  twice,
  wholeBytes,
  type ChainJob,
  type FetchSteps,
} from './fetch-object.js'

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
  /** Proves objects of which little is visible when they are read in part. @default objects are fetched whole */
  readonly proof?: BlockHashes | undefined
}

/** The memory that an object takes while it is read in pieces. */
const PIECES_BYTES = 4 * 1024 * 1024

/** Fetches objects of a chain, each once, in the memory that the job allows. */
export async function visitObjects(
  job: ChainJob,
  items: readonly VisibleObject[],
  visitor: ObjectVisitor,
  { proof, meter, ...options }: VisitOptions,
): Promise<void> {
  const limits = fetchLimits(job, items)
  const planned = async function* ({ budget }: PipelineContext): AsyncGenerator<Visit> {
    for (const item of items) {
      const { object } = item
      const inPieces = wholeBytes(object) > limits.memoryBytes && canFetchInPieces(job, object)
      const bytes = inPieces ? Math.min(PIECES_BYTES, limits.memoryBytes) : wholeBytes(object)
      const share = await BudgetShare.take(budget, bytes)
      const progress = new ObjectProgress(meter, item, visitor.countedBytes(item))
      yield { job, item, visitor, progress, inPieces, share }
    }
  }
  const work = async (visit: Visit, context: PipelineContext): Promise<void> => {
    try {
      visit.progress.finish(await visitObject(visit, context, proof))
    } catch (error) {
      if (!visitor.failed) throw error
      visitor.failed(visit.item, error)
    } finally {
      visit.share.keepOnly(0)
    }
  }
  await runPipeline({ ...limits, ...options }, planned, work)
}

function fetchLimits(
  { concurrency, maxMemoryBytes }: ChainJob,
  items: readonly VisibleObject[],
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

/** An object that is about to be fetched, with its share of the memory. */
interface Visit {
  readonly job: ChainJob
  readonly item: VisibleObject
  readonly visitor: ObjectVisitor
  readonly progress: ObjectProgress
  readonly inPieces: boolean
  /** Holds `wholeBytes` of the object where it is fetched whole. */
  readonly share: BudgetShare
}

/** Reads the visible parts of an object, where that is worth it and can be proved; else all of it. @returns its stored bytes */
async function visitObject(
  visit: Visit,
  context: PipelineContext,
  proof: BlockHashes | undefined,
): Promise<number> {
  const ranges = proof && rangesOf(visit.item, proof.header.blockSizeBytes)
  if (proof && ranges && totalBytes(ranges) <= visit.share.bytes) {
    const { buffers, signal, slots } = context
    const { job, item, visitor, progress } = visit
    const readBytes = totalBytes(ranges)
    const buffer = buffers.take(readBytes)
    try {
      const fetched = await slots.run(readBytes, () => fetchRanges(job, item, ranges, proof, buffer, signal))
      signal.throwIfAborted()
      for (const { bytes, offsetBytes } of fetched ?? [])
        await visitor.visit(item, bytes, offsetBytes, progress.use)
      if (fetched) return readBytes
    } finally {
      buffers.give(buffer)
    }
  }
  return visit.inPieces ? visitInPieces(visit, context) : visitWhole(visit, context)
}

/** Reads the object once for its check and once more for its bytes, which are checked again. */
async function visitInPieces(
  { job, item, visitor, progress }: Visit,
  { signal, slots }: PipelineContext,
): Promise<number> {
  const { lengthBytes, offsetBytes } = item.object
  const check = (): Promise<number> =>
    fetchInPieces(job, item, signal, (piece, atBytes) => {
      progress.checked(atBytes + piece.length, lengthBytes)
      return Promise.resolve()
    })
  return slots.run(lengthBytes, async () => {
    await twice(job, item, check)
    return fetchInPieces(job, item, signal, (piece, atBytes) =>
      visitor.visit(item, piece, offsetBytes + atBytes, progress.use),
    )
  })
}

/**
 * Fetches an object whole, twice where the first time fails its check, and passes its bytes to the visitor.
 *
 * Fetching and decompressing take a slot; checking and writing do not, so that the next object is fetched while this one is
 * written. The memory of the stored form is released as soon as the object is decompressed. A second attempt releases
 * everything that the object holds before it waits for memory again.
 */
async function visitWhole(
  { job, item, visitor, progress, share }: Visit,
  context: PipelineContext,
): Promise<number> {
  const { buffers, signal } = context
  const { lengthBytes, offsetBytes } = item.object
  let buffer: Uint8Array | undefined
  const release = (): void => {
    if (buffer) buffers.give(buffer)
    buffer = undefined
  }
  try {
    const { raw, storedBytes } = await twice(job, item, async (again) => {
      release()
      if (again) await share.retake(wholeBytes(item.object))
      buffer = buffers.take(lengthBytes)
      const fetched = await fetchWhole(job, item, buffer, again, progress, context)
      share.keepOnly(lengthBytes)
      await checkMd5(item, fetched.raw)
      progress.checked(1, 1)
      return fetched
    })
    signal.throwIfAborted()
    await visitor.visit(item, raw, offsetBytes, progress.use)
    return storedBytes
  } finally {
    release()
  }
}

/** Half of an object's progress is to fetch and decompress it; the visitor's work is the other half. */
const FETCH_SHARE = 1 / 2

/** The progress of one object. */
class ObjectProgress implements FetchSteps {
  readonly fetched: StepListener
  readonly decompressed: StepListener
  /** Both together, for an object that is read in pieces for its check. */
  readonly checked: StepListener
  readonly #meter: ProgressMeter
  readonly #portion: Portion
  readonly #used: StepListener
  readonly #countedBytes: number
  #usedBytes = 0

  constructor(meter: ProgressMeter, { object }: VisibleObject, countedBytes: number) {
    this.#meter = meter
    this.#portion = new Portion(meter, countedBytes)
    this.#countedBytes = countedBytes
    const fetchedShare = object.compression === 'none' ? FETCH_SHARE : FETCH_SHARE / 2
    this.fetched = this.#portion.step(0, fetchedShare)
    this.decompressed = this.#portion.step(fetchedShare, FETCH_SHARE)
    this.checked = this.#portion.step(0, FETCH_SHARE)
    this.#used = this.#portion.step(FETCH_SHARE, 1)
  }

  /** Counts bytes that the visitor has processed. */
  readonly use = (lengthBytes: number): void => {
    this.#usedBytes += lengthBytes
    this.#used(this.#usedBytes, this.#countedBytes)
  }

  finish(storedBytes: number): void {
    this.#portion.finish()
    this.#meter.add({ transferredBytes: storedBytes, objects: 1 })
  }
}

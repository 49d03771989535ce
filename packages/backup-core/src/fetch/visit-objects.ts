import type { Chain, ChainLayer } from '../chain/chain.js'
import type { VisibleObject } from '../chain/extent-map.js'
import type { StoredObject } from '../format/metadata.js'
import { planFetchMemory } from '../pipeline/memory-plan.js'
import { atOnce } from '../pipeline/slots.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import { fetchRanges, rangesOf, totalBytes, type BlockProof } from './block-proof.js'
import { checkMd5, fetchInPieces, fetchWhole, twice, type FetchedObject } from './fetch-object.js'
import { canFetchInPieces, wholeBytes, type ChainJob, type ObjectSource } from './object-source.js'
import type { FetchSteps, ObjectVisitor } from './object-visitor.js'
import { BudgetShare } from '../pipeline/byte-budget.js'
import type { VolumeExtent } from '../contracts/volume.js'

/** How to go about it. */
export interface VisitOptions {
  readonly signal: AbortSignal | undefined
  /** Names the operation in errors: `The restore`. */
  readonly operation: string
  /** Lets objects of which little is visible be read in part. @default objects are fetched whole */
  readonly proof?: BlockProof | undefined
}

/** The memory that an object takes while it is read in pieces. */
const PIECES_BYTES = 4 * 1024 * 1024

/** Fetches objects of a chain, each once, in the memory that the job allows. */
export async function visitObjects(
  job: ChainJob,
  items: readonly VisibleObject[],
  visitor: ObjectVisitor,
  { proof, ...options }: VisitOptions,
): Promise<void> {
  const limits = fetchLimits(job, items)
  const inPieces = (object: StoredObject): boolean =>
    wholeBytes(object) > limits.memoryBytes && canFetchInPieces(job.source, object)
  const piecesBytes = Math.min(PIECES_BYTES, limits.memoryBytes)

  const inTurn = async function* ({ budget }: PipelineContext): AsyncGenerator<PlannedObject> {
    for (const item of items) {
      const comesInPieces = inPieces(item.object)
      const bytes = comesInPieces ? piecesBytes : wholeBytes(item.object)
      yield { item, comesInPieces, share: await BudgetShare.take(budget, bytes) }
    }
  }
  const work = async (planned: PlannedObject, context: PipelineContext): Promise<void> => {
    const { item, share } = planned
    const layer = layerAt(job.chain, item.layer)
    try {
      await visitPlanned(job, layer, planned, visitor, context, proof)
    } catch (error) {
      if (!visitor.failed) throw error
      visitor.failed(item, layer, error)
    } finally {
      share.keepOnly(0)
    }
  }
  await runPipeline({ ...limits, ...options }, inTurn, work)
}

/** The layer that an extent map means. */
export function layerAt(chain: Chain, index: number): ChainLayer {
  const layer = chain[index]
  if (!layer) throw new RangeError(`layer ${index} of ${chain.length}`)
  return layer
}

/** An object that is about to be fetched, with its share of the memory. */
interface PlannedObject {
  readonly item: VisibleObject
  readonly comesInPieces: boolean
  readonly share: BudgetShare
}

/** Reads of an object what is visible, where that is worth it and can be proved; else all of it. */
async function visitPlanned(
  job: ChainJob,
  layer: ChainLayer,
  { item, comesInPieces, share }: PlannedObject,
  visitor: ObjectVisitor,
  context: PipelineContext,
  proof: BlockProof | undefined,
): Promise<void> {
  const ranges = proof && rangesOf(item, proof.blockSizeBytes)
  if (proof && ranges && totalBytes(ranges) <= share.bytes) {
    if (await visitRanges(job, layer, item, visitor, context, { ranges, proof })) return
  }
  if (comesInPieces) await visitInPieces(job, layer, item, visitor, context)
  else await visitWhole(job.source, layer, item, visitor, share, context)
}

/** Whether what is visible could be read alone, and was proved. */
async function visitRanges(
  job: ChainJob,
  layer: ChainLayer,
  item: VisibleObject,
  visitor: ObjectVisitor,
  { buffers, signal, slots }: PipelineContext,
  { ranges, proof }: { readonly ranges: readonly VolumeExtent[]; readonly proof: BlockProof },
): Promise<boolean> {
  const readBytes = totalBytes(ranges)
  const buffer = buffers.take(readBytes)
  try {
    const fetched = await slots.run(readBytes, () =>
      fetchRanges(job.source, layer, item, ranges, proof, { buffer, signal }),
    )
    if (!fetched) return false
    signal.throwIfAborted()
    for (const { bytes, offsetBytes } of fetched) await visitor.visit(item, bytes, offsetBytes)
    visitor.done(item, readBytes)
    return true
  } finally {
    buffers.give(buffer)
  }
}

/** Reads the object once for its check and once more for its bytes, which are checked again as they pass. */
async function visitInPieces(
  job: ChainJob,
  layer: ChainLayer,
  item: VisibleObject,
  visitor: ObjectVisitor,
  context: PipelineContext,
): Promise<void> {
  const { object } = item
  const { signal } = context
  const steps = visitor.begin?.(item)
  const check = (): Promise<number> =>
    fetchInPieces(job.source, layer, object, signal, (piece, atBytes) => {
      steps?.checked(atBytes + piece.length, object.lengthBytes)
      return Promise.resolve()
    })
  const storedBytes = await context.slots.run(object.lengthBytes, async () => {
    await twice(job.source, layer, object, check)
    return fetchInPieces(job.source, layer, object, signal, (piece, atBytes) =>
      visitor.visit(item, piece, object.offsetBytes + atBytes),
    )
  })
  visitor.done(item, storedBytes)
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
    concurrency: atOnce(concurrency, largestObjectBytes),
  })
  return { ...plan, smallConcurrency: concurrency.smallObjects }
}

/**
 * Fetches an object whole, twice where the first time fails its check, and hands its bytes to the visitor.
 *
 * Fetching and opening take a slot; checking and writing do not, so that the next object comes while this one is written.
 * The stored form's memory is given back as soon as the object is open. A second attempt starts from nothing: the object
 * gives back all that it holds before it waits for memory again.
 *
 * @param share - holds `wholeBytes` of the object; what is left of it when this ends is the caller's to give back
 */
export async function visitWhole(
  source: ObjectSource,
  layer: ChainLayer,
  item: VisibleObject,
  visitor: ObjectVisitor,
  share: BudgetShare,
  context: PipelineContext,
): Promise<void> {
  const { object } = item
  const raw = new RawBuffer(context, object.lengthBytes)
  const steps = visitor.begin?.(item)
  try {
    const fetched = await twice(source, layer, object, async (again) => {
      if (again) {
        raw.release()
        await share.retake(wholeBytes(object))
      }
      const answer = await fetchInto(source, layer, object, { rawBuffer: raw.take(), again, steps }, context)
      share.keepOnly(object.lengthBytes)
      await checkMd5(layer, object, answer.raw)
      steps?.checked(1, 1)
      return answer
    })
    context.signal.throwIfAborted()
    await visitor.visit(item, fetched.raw, object.offsetBytes)
    visitor.done(item, fetched.storedBytes)
  } finally {
    raw.release()
  }
}

/** One of the times that an object is fetched. */
interface Attempt {
  readonly rawBuffer: Uint8Array
  readonly again: boolean
  readonly steps: FetchSteps | undefined
}

async function fetchInto(
  source: ObjectSource,
  layer: ChainLayer,
  object: VisibleObject['object'],
  { rawBuffer, again, steps }: Attempt,
  { signal, slots, storedBuffers }: PipelineContext,
): Promise<FetchedObject> {
  const isRaw = object.compression === 'none'
  const storedBuffer = isRaw ? rawBuffer : storedBuffers.take(object.lengthBytes)
  try {
    const memory = { rawBuffer, storedBuffer, signal, checkedByStore: again, steps }
    return await slots.run(object.lengthBytes, () => fetchWhole(source, layer, object, memory))
  } finally {
    if (!isRaw) storedBuffers.give(storedBuffer)
  }
}

/** The buffer of an object's bytes, returned to the pool once for each time that it was taken. */
class RawBuffer {
  readonly #pool: PipelineContext['buffers']
  readonly #lengthBytes: number
  #buffer: Uint8Array | undefined

  constructor({ buffers }: PipelineContext, lengthBytes: number) {
    this.#pool = buffers
    this.#lengthBytes = lengthBytes
  }

  take(): Uint8Array {
    return (this.#buffer ??= this.#pool.take(this.#lengthBytes))
  }

  release(): void {
    if (this.#buffer) this.#pool.give(this.#buffer)
    this.#buffer = undefined
  }
}

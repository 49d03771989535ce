import type { Chain, ChainLayer } from '../chain/chain-layer.js'
import type { VisibleObject } from '../chain/extent-map.js'
import { isBackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import { planFetchMemory } from '../pipeline/memory-plan.js'
import { atOnce } from '../pipeline/slots.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import { rangesOf, totalBytes, type BlockProof } from './block-proof.js'
import { fetchRanges } from './fetch-ranges.js'
import { canFetchInPieces, fetchInPieces } from './fetch-in-pieces.js'
import { checkMd5, fetchWhole, type FetchedObject } from './fetch-whole.js'
import type { VolumeExtent } from '../volume/volume.js'
import type { ChainJob } from './object-source.js'

/** What to do with objects, several of them at once. */
export interface ObjectVisitor {
  /**
   * Takes an object's bytes, which have its MD5, or its blocks' hashes: all at once, or in pieces in order where memory
   * does not hold it or little of it is visible.
   * They are only good until the promise resolves.
   *
   * @param offsetBytes - where in the volume the bytes begin
   */
  visit(item: VisibleObject, bytes: Uint8Array, offsetBytes: number): Promise<void>
  /** The object is done, and is not needed any more. */
  done(item: VisibleObject, storedBytes: number): void
  /** Decides on a failure: returns to go on without the object, or throws. @default throws */
  failed?(item: VisibleObject, layer: ChainLayer, error: unknown): void
}

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

  const inTurn = async function* (context: PipelineContext): AsyncGenerator<VisibleObject> {
    for (const item of items) {
      const { object } = item
      await context.budget.take(inPieces(object) ? piecesBytes : wholeBytes(object), 'fresh')
      yield item
    }
  }
  const work = async (item: VisibleObject, context: PipelineContext): Promise<void> => {
    const layer = layerAt(job.chain, item.layer)
    const comesInPieces = inPieces(item.object)
    const fetch = comesInPieces ? visitInPieces : visitWhole
    // What a stored form takes is given back when it is open.
    const heldBytes = comesInPieces ? piecesBytes : item.object.lengthBytes
    try {
      const ranges = proof && rangesOf(item, proof.blockSizeBytes)
      if (proof && ranges && totalBytes(ranges) <= heldBytes) {
        if (await visitRanges(job, layer, item, visitor, context, { ranges, proof })) return
      }
      await fetch(job, layer, item, visitor, context)
    } catch (error) {
      if (!visitor.failed) throw error
      visitor.failed(item, layer, error)
    } finally {
      context.budget.give(heldBytes)
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

/**
 * Fetching and opening take a slot; checking and writing do not, so that the next object comes while this one is written.
 * The stored form's memory is given back as soon as the object is open.
 */
async function visitWhole(
  job: ChainJob,
  layer: ChainLayer,
  item: VisibleObject,
  visitor: ObjectVisitor,
  context: PipelineContext,
): Promise<void> {
  const { object } = item
  const { budget, buffers, storedBuffers, signal, slots } = context
  const storedApartBytes = wholeBytes(object) - object.lengthBytes
  let storedHeldBytes = storedApartBytes
  const rawBuffer = buffers.take(object.lengthBytes)
  const fetch = async (again: boolean): Promise<FetchedObject> => {
    if (storedHeldBytes < storedApartBytes) await budget.take(storedApartBytes, 'underway')
    storedHeldBytes = storedApartBytes
    const storedBuffer = storedApartBytes === 0 ? rawBuffer : storedBuffers.take(object.lengthBytes)
    try {
      const memory = { rawBuffer, storedBuffer, signal, checkedByStore: again }
      return await slots.run(object.lengthBytes, () => fetchWhole(job.source, layer, object, memory))
    } finally {
      if (storedBuffer !== rawBuffer) storedBuffers.give(storedBuffer)
      budget.give(storedHeldBytes)
      storedHeldBytes = 0
    }
  }
  try {
    const fetched = await twice(job, layer, object, async (again) => {
      const answer = await fetch(again)
      await checkMd5(layer, object, answer.raw)
      return answer
    })
    signal.throwIfAborted()
    await visitor.visit(item, fetched.raw, object.offsetBytes)
    visitor.done(item, fetched.storedBytes)
  } finally {
    buffers.give(rawBuffer)
    budget.give(storedHeldBytes)
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
  const check = (): Promise<number> =>
    fetchInPieces(job.source, layer, object, signal, () => Promise.resolve())
  const storedBytes = await context.slots.run(object.lengthBytes, async () => {
    await twice(job, layer, object, check)
    return fetchInPieces(job.source, layer, object, signal, (piece, atBytes) =>
      visitor.visit(item, piece, object.offsetBytes + atBytes),
    )
  })
  visitor.done(item, storedBytes)
}

/**
 * Reads once more what fails its check: a bad disk or a flipped bit on the way may be one replica's or one moment's.
 * What fails twice is `OBJECT_CORRUPT`.
 */
async function twice<T>(
  job: ChainJob,
  layer: ChainLayer,
  object: StoredObject,
  attempt: (again: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(false)
  } catch (error) {
    if (!isBackupError(error, 'OBJECT_CORRUPT')) throw error
    const result = await attempt(true)
    job.source.onWarning({
      code: 'OBJECT_REREAD',
      message: `${object.name} was damaged when first read and whole when read again: ${error.message}`,
      backupId: layer.record.id,
    })
    return result
  }
}

/** The memory that fetching an object whole takes: its bytes, and its stored form where that is another. */
function wholeBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : 2 * object.lengthBytes
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

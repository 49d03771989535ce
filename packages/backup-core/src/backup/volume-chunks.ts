import { signalOptions } from '../contracts/object-store.js'
import type { OpenSource, VolumeExtent } from '../contracts/volume.js'
import { chunkMemoryBytes, type ChunkPlan } from '../pipeline/memory-plan.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import type { Parent } from './prepare.js'
import { ExtentCursor } from '../volume/extent-cursor.js'

/** A part of a volume that is read as a unit. In a full backup it becomes one object. */
export interface VolumeChunk {
  /** From 1, in the order of the volume. */
  readonly number: number
  readonly offsetBytes: number
  /** The maximum where the size of the source is not known: a stream may end before. */
  readonly lengthBytes: number
  /** Where the source has data, in ascending order. The rest is zeros, and is not read. */
  readonly data: readonly VolumeExtent[]
  /** What may differ from the parent, in ascending order; undefined where all of it has to be compared. */
  readonly changes: readonly VolumeExtent[] | undefined
  /** Must be called when the chunk has been read, with the number of bytes that there were. Later calls do nothing. */
  readonly onReadEnd: (lengthBytes: number) => void
}

/** What a source states about itself, so that less of it has to be read. */
export interface SourceHints extends AsyncDisposable {
  /** Where data is; undefined where all of it has to be read. */
  readonly data: ExtentCursor | undefined
  /** What may have changed since the parent; undefined where all of it has to be compared. */
  readonly changes: ExtentCursor | undefined
  /** The end of the blocks that the source and its parent both have. Blocks beyond it count as changed. */
  readonly comparableEndBytes: number
}

/**
 * Yields the chunks of a volume in order, each when there is memory for it. Of a source that reads in order only, each
 * when the chunk before it has been read.
 */
export async function* volumeChunks(
  source: OpenSource,
  plan: ChunkPlan,
  hints: SourceHints,
  { budget }: PipelineContext,
): AsyncGenerator<VolumeChunk> {
  const { objectSizeBytes } = plan
  const { sizeBytes = Number.POSITIVE_INFINITY, seekable } = source
  let readBefore = Promise.resolve(objectSizeBytes)
  for (let number = 1; (number - 1) * objectSizeBytes < sizeBytes; number += 1) {
    const offsetBytes = (number - 1) * objectSizeBytes
    const lengthBytes = Math.min(objectSizeBytes, sizeBytes - offsetBytes)
    if (!seekable && (await readBefore) < objectSizeBytes) return
    await budget.take(chunkMemoryBytes(plan, lengthBytes), 'new')
    const endBytes = offsetBytes + lengthBytes
    const data = await hints.data?.within(offsetBytes, endBytes)
    const changes = await changesWithin(hints, offsetBytes, endBytes)
    let onReadEnd: (lengthBytes: number) => void = () => undefined
    readBefore = new Promise((resolve) => {
      onReadEnd = resolve
    })
    yield {
      number,
      offsetBytes,
      lengthBytes,
      data: data ?? [{ offsetBytes, lengthBytes }],
      changes,
      onReadEnd,
    }
  }
}

/** Opens the hints of a source. A block that the parent does not have as a whole counts as a change. */
export async function openHints(
  source: OpenSource,
  parent: Parent | null,
  blockSizeBytes: number,
  signal: AbortSignal,
): Promise<SourceHints> {
  const options = signalOptions(signal)
  const data = source.extents ? new ExtentCursor(source.extents(options), 'extents()', signal) : undefined
  let changes: ExtentCursor | undefined
  let comparableEnd = 0
  if (parent && source.sizeBytes !== undefined) {
    const changed = await source.changedSince?.(parent.record.id, options)
    if (changed) changes = new ExtentCursor(changed, 'changedSince()', signal)
    comparableEnd = endOfCommonBlocks(parent, source.sizeBytes, blockSizeBytes)
  }
  return {
    data,
    changes,
    comparableEndBytes: comparableEnd,
    async [Symbol.asyncDispose]() {
      await data?.[Symbol.asyncDispose]()
      await changes?.[Symbol.asyncDispose]()
    },
  }
}

async function changesWithin(
  { changes, comparableEndBytes }: SourceHints,
  startBytes: number,
  endBytes: number,
): Promise<VolumeExtent[] | undefined> {
  const found = await changes?.within(startBytes, endBytes)
  const addedFrom = Math.max(startBytes, comparableEndBytes)
  if (addedFrom < endBytes) found?.push({ offsetBytes: addedFrom, lengthBytes: endBytes - addedFrom })
  return found
}

/** The end of the blocks that the volume and its parent both have, with the same length. */
function endOfCommonBlocks(
  { record, sha256file }: Parent,
  sizeBytes: number,
  blockSizeBytes: number,
): number {
  const { length } = sha256file.hashes
  if (sizeBytes === record.sizeBytes && length === Math.ceil(sizeBytes / blockSizeBytes)) return sizeBytes
  const bothBytes = Math.min(sizeBytes, record.sizeBytes)
  return Math.min(Math.floor(bothBytes / blockSizeBytes), length) * blockSizeBytes
}

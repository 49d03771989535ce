import { BackupError } from '../errors/backup-error.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import type { OpenSource } from '../volume/volume.js'
import type { SourceHints } from './source-hints.js'

/** A chunk of the volume, in memory. */
export interface Chunk {
  readonly offsetBytes: number
  readonly bytes: Uint8Array
  /** Gives its memory back. Called once, when nothing needs the bytes any more. */
  release(): void
}

/** How a volume is read. */
export interface ReadPlan {
  readonly chunkSizeBytes: number
  readonly hints: SourceHints
  /** Told of a chunk that is known not to have changed, and was not read. */
  readonly skipped: (lengthBytes: number) => void
}

/** Reads a volume in order, one chunk ahead of the work for each that the memory allows. */
export async function* readChunks(
  source: OpenSource,
  plan: ReadPlan,
  context: PipelineContext,
): AsyncGenerator<Chunk> {
  const { chunkSizeBytes } = plan
  const { budget, buffers, signal } = context
  let offsetBytes = 0
  for (;;) {
    const leftBytes = source.sizeBytes === undefined ? chunkSizeBytes : source.sizeBytes - offsetBytes
    const wantedBytes = Math.min(chunkSizeBytes, leftBytes)
    if (wantedBytes <= 0) return
    if (await isUnchanged(plan.hints, offsetBytes, offsetBytes + wantedBytes)) {
      plan.skipped(wantedBytes)
      offsetBytes += wantedBytes
      continue
    }
    await budget.take(chunkSizeBytes, 'fresh')
    const buffer = buffers.take(chunkSizeBytes)
    const release = (): void => {
      buffers.give(buffer)
      budget.give(chunkSizeBytes)
    }
    const gotBytes = await fill(source, plan.hints, buffer.subarray(0, wantedBytes), offsetBytes, signal)
    if (gotBytes === 0) {
      release()
      return
    }
    yield { offsetBytes, bytes: buffer.subarray(0, gotBytes), release }
    offsetBytes += gotBytes
    if (gotBytes < wantedBytes) return
  }
}

async function isUnchanged(hints: SourceHints, startBytes: number, endBytes: number): Promise<boolean> {
  if (!hints.changes) return false
  const changes = await hints.changes.within(startBytes, endBytes)
  return changes.length === 0 && endBytes <= hints.comparableBytes
}

/** Reads a chunk; where the source says that it holds nothing, zeros are what it would have given. */
async function fill(
  source: OpenSource,
  hints: SourceHints,
  into: Uint8Array,
  offsetBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const endBytes = offsetBytes + into.length
  const extents = hints.data
    ? await hints.data.within(offsetBytes, endBytes)
    : [{ offsetBytes, lengthBytes: into.length }]
  let zeroFrom = 0
  for (const extent of extents) {
    const start = extent.offsetBytes - offsetBytes
    into.fill(0, zeroFrom, start)
    zeroFrom = start + extent.lengthBytes
    const gotBytes = await source.read(into.subarray(start, zeroFrom), extent.offsetBytes, { signal })
    if (gotBytes < extent.lengthBytes) {
      // A stream ends where it ends.
      if (source.sizeBytes === undefined) return gotBytes
      throw shrank(extent.offsetBytes + gotBytes, source.sizeBytes)
    }
  }
  into.fill(0, zeroFrom)
  return into.length
}

function shrank(endBytes: number, sizeBytes: number): BackupError {
  return new BackupError(
    'SOURCE_CHANGED',
    `The source ended at ${endBytes} bytes and not at ${sizeBytes}: it shrank while it was read. Back up a snapshot of it, or stop its writer.`,
    { offsetBytes: endBytes },
  )
}

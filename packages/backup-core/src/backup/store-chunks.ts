import { chunkObjectName } from '../format/object-names.js'
import type { HashList } from '../format/hash-list.js'
import type { StoredObject } from '../format/metadata.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { BackupMemoryPlan } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext, type Turn } from '../pipeline/pipeline.js'
import type { ProgressMeter } from '../progress/progress-meter.js'
import type { OpenSource } from '../volume/volume.js'
import { OpenChunk } from './open-chunk.js'
import { readPieces, type Piece } from './read-pieces.js'
import type { SourceHints } from './source-hints.js'
import { storeRun, type ObjectSink } from './store-run.js'

/** A backup's chunks on their way, and what is known of them so far. */
export interface ChunkJob {
  readonly sink: ObjectSink
  readonly prefix: string
  readonly plan: BackupMemoryPlan
  readonly blockSizeBytes: number
  readonly incremental: boolean
  /** The most unchanged bytes that are stored so that scattered changes share an object. */
  readonly joinGapBytes: number
  /** The parent's hashes, which become the volume's own; empty for a full backup. */
  readonly hashes: HashList
  /** In the order of their names; a place is empty until its object is stored. */
  readonly objects: (StoredObject | undefined)[]
  /** Every name under which something may have been written. */
  readonly namesTaken: string[]
  readonly totals: { sizeBytes: number }
}

/**
 * Reads, hashes, compares, compresses and stores a volume, several chunks at a time. Names are given in the order of
 * the volume, as Cinder gives them, however the work between overlaps.
 */
export async function storeChunks(
  job: ChunkJob,
  source: OpenSource,
  hints: SourceHints,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { objectSizeBytes: chunkSizeBytes, pieceSizeBytes, ...limits } = job.plan
  const skipped = (lengthBytes: number): void => {
    meter.add({ done: lengthBytes })
  }
  const chunk = new OpenChunk(job.hashes, job.blockSizeBytes, job.joinGapBytes)
  await runPipeline(
    { ...limits, signal, operation: 'The backup' },
    (context) => readPieces(source, { chunkSizeBytes, pieceSizeBytes, hints, skipped }, context),
    (item, context, turn) =>
      item.kind === 'piece'
        ? comparePiece(job, chunk, item, turn, meter)
        : storeRuns(job, chunk, context, turn, meter),
  )
  // A last piece that was skipped has not said where the volume ends.
  job.totals.sizeBytes = source.sizeBytes ?? job.totals.sizeBytes
  job.hashes.truncate(Math.ceil(job.totals.sizeBytes / job.blockSizeBytes))
}

/** Hashes a piece off the main thread, and compares it when those before it have been. */
async function comparePiece(
  job: ChunkJob,
  chunk: OpenChunk,
  piece: Piece,
  turn: Turn,
  meter: ProgressMeter,
): Promise<void> {
  const { bytes, offsetBytes } = piece
  const { sha256s, md5 } = await hashChunk({
    parts: [bytes],
    blockSizeBytes: job.blockSizeBytes,
    // Of an object that is known already: a piece that is a whole chunk. Of others it is summed when they are.
    md5: !job.incremental && job.plan.pieceSizeBytes === job.plan.objectSizeBytes,
  })
  await turn(() => {
    job.totals.sizeBytes = offsetBytes + bytes.length
    const changed = chunk.add({ piece, sha256s: sha256s ?? new Uint8Array(0), md5 })
    if (!changed) meter.add({ done: bytes.length })
  })
}

/** Names a chunk's runs of changes, in its turn, and stores them, several at once. */
async function storeRuns(
  job: ChunkJob,
  chunk: OpenChunk,
  context: PipelineContext,
  turn: Turn,
  meter: ProgressMeter,
): Promise<void> {
  const named = await turn(() => {
    const { runs, heldBytes } = chunk.end()
    return { heldBytes, runs: runs.map((run) => ({ run, ...takeName(job) })) }
  })
  await Promise.all(
    named.runs.map(async ({ run, index, name }) => {
      const stored = await storeRun(job.sink, name, run, context)
      job.objects[index] = stored.object
      meter.add({ transferredBytes: stored.storedBytes, objects: 1 })
    }),
  )
  meter.add({ done: named.heldBytes })
}

function takeName(job: ChunkJob): { index: number; name: string } {
  const index = job.objects.push(undefined) - 1
  const name = chunkObjectName(job.prefix, index + 1)
  job.namesTaken.push(name)
  return { index, name }
}

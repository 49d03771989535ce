import { chunkObjectName } from '../format/object-names.js'
import type { HashList } from '../format/hash-list.js'
import type { StoredObject } from '../format/metadata.js'
import { hashChunk, PieceHasher } from '../hash/chunk-hasher.js'
import type { PieceHashes } from '../hash/hash-pool.js'
import type { BackupMemoryPlan } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext, type Turn } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import type { OpenSource } from '../contracts/volume.js'
import { MOST_JOINED_BYTES } from './changed-runs.js'
import { OpenChunk } from './open-chunk.js'
import { HASHED_SHARE, readPieces, type Piece } from './read-pieces.js'
import type { SourceHints } from './source-hints.js'
import { storeRun } from './store-run.js'
import type { Destination } from './destination.js'

/** A backup's chunks on their way, and what is known of them so far. */
export interface ChunkJob {
  /** Awaited before the first object is stored, and not before. */
  readonly destination: Promise<Destination>
  readonly plan: BackupMemoryPlan
  /** How many small objects are stored at once. */
  readonly smallConcurrency: number
  readonly blockSizeBytes: number
  readonly incremental: boolean
  /** The most unchanged bytes that are stored so that scattered changes share an object. */
  readonly joinGapBytes: number
  /** The parent's hashes, which become the volume's own; empty for a full backup. */
  readonly hashes: HashList
  /** In the order of their names; a place is empty until its object is stored. */
  readonly objects: (StoredObject | undefined)[]
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
  const { smallConcurrency } = job
  const leastStoredBufferBytes = job.incremental ? Math.min(chunkSizeBytes, MOST_JOINED_BYTES) : 0
  const chunk = new OpenChunk(job.hashes, job.blockSizeBytes, job.joinGapBytes)
  // The chunks of a full backup are its objects, so that what is read can be summed for both. Of an incremental only the
  // changes are, when they are known; its pieces are hashed in any order, on all cores.
  const hasher = job.incremental ? undefined : new PieceHasher(job.blockSizeBytes)
  try {
    await runPipeline(
      { ...limits, smallConcurrency, leastStoredBufferBytes, signal, operation: 'The backup' },
      (context) => readPieces(source, { chunkSizeBytes, pieceSizeBytes, hints, meter }, context),
      // Begun in the order of the items: a chunk's pieces reach the hasher in theirs, before its end.
      (item, context, turn) =>
        item.kind === 'piece'
          ? comparePiece(job, chunk, item, hasher, turn)
          : storeRuns(job, chunk, hasher?.end(), context, turn, meter),
    )
  } finally {
    await hasher?.end().catch(() => undefined)
  }
  // A last piece that was skipped has not said where the volume ends.
  job.totals.sizeBytes = source.sizeBytes ?? job.totals.sizeBytes
  job.hashes.truncate(Math.ceil(job.totals.sizeBytes / job.blockSizeBytes))
}

/** Hashes a piece off the main thread, and compares it when those before it have been. */
async function comparePiece(
  job: ChunkJob,
  chunk: OpenChunk,
  piece: Piece,
  hasher: PieceHasher | undefined,
  turn: Turn,
): Promise<void> {
  const { bytes, offsetBytes, hole, portion } = piece
  const hashes = await (hasher?.add(bytes, hole) ?? hashPiece(bytes, job.blockSizeBytes, hole))
  portion.reach(HASHED_SHARE)
  await turn(() => {
    job.totals.sizeBytes = offsetBytes + bytes.length
    const changed = chunk.add({ piece, ...hashes })
    if (!changed) portion.finish()
  })
}

async function hashPiece(bytes: Uint8Array, blockSizeBytes: number, hole: boolean): Promise<PieceHashes> {
  const { sha256s, allZero } = await hashChunk({
    ...{ parts: [bytes], blockSizeBytes, md5: false },
    knownZeros: hole,
  })
  return { sha256s: sha256s ?? new Uint8Array(0), allZero }
}

/**
 * Names a chunk's runs of changes, in its turn, and stores them, several at once.
 *
 * @param chunkMd5 - of a full backup's chunk, which is one run
 */
async function storeRuns(
  job: ChunkJob,
  chunk: OpenChunk,
  chunkMd5: Promise<string> | undefined,
  context: PipelineContext,
  turn: Turn,
  meter: ProgressMeter,
): Promise<void> {
  // Whoever waits for it may fail before: it must not be a rejection that nobody takes.
  chunkMd5?.catch(() => undefined)
  const ended = await turn(() => {
    const { runs, uncountedBytes } = chunk.end()
    return { uncountedBytes, runs: runs.map((run) => ({ run, index: job.objects.push(undefined) - 1 })) }
  })
  const { sink, prefix } = await job.destination
  let uncountedBytes = ended.uncountedBytes
  await Promise.all(
    ended.runs.map(async ({ run, index }) => {
      const name = chunkObjectName(prefix, index + 1)
      const worthBytes = Math.floor(run.lengthBytes * (1 - HASHED_SHARE))
      uncountedBytes -= worthBytes
      const portion = new Portion(meter, worthBytes)
      const stored = await storeRun(sink, name, run, chunkMd5, portion, context)
      job.objects[index] = stored.object
      portion.finish()
      meter.add({ transferredBytes: stored.storedBytes, objects: 1 })
    }),
  )
  // What of the pieces did not change.
  meter.add({ done: uncountedBytes })
}

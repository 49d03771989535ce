import { chunkObjectName } from '../format/object-names.js'
import type { HashList } from '../format/hash-list.js'
import type { StoredObject } from '../format/metadata.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { MemoryPlan } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext, type Turn } from '../pipeline/pipeline.js'
import type { ProgressMeter } from '../progress/progress-meter.js'
import type { OpenSource } from '../volume/volume.js'
import { joinNearbyRuns, takeChangedRuns, type ChangedRun } from './changed-runs.js'
import { readChunks, type Chunk } from './read-chunks.js'
import type { SourceHints } from './source-hints.js'
import { storeRun, type ObjectSink } from './store-run.js'

/** A backup's chunks on their way, and what is known of them so far. */
export interface ChunkJob {
  readonly sink: ObjectSink
  readonly prefix: string
  readonly plan: MemoryPlan
  readonly blockSizeBytes: number
  readonly incremental: boolean
  /** Whether scattered changes may share an object. */
  readonly joinRuns: boolean
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
  const { plan } = job
  const skipped = (lengthBytes: number): void => {
    meter.add({ done: lengthBytes })
  }
  await runPipeline(
    {
      concurrency: plan.concurrency,
      memoryBytes: plan.memoryBytes,
      reserveBytes: job.sink.compression ? plan.objectSizeBytes : 0,
      signal,
      operation: 'The backup',
    },
    (context) => readChunks(source, { chunkSizeBytes: plan.objectSizeBytes, hints, skipped }, context),
    (chunk, context, turn) => storeChunk(job, chunk, context, turn, meter),
  )
  // A last chunk that was skipped has not said where the volume ends.
  job.totals.sizeBytes = source.sizeBytes ?? job.totals.sizeBytes
  job.hashes.truncate(Math.ceil(job.totals.sizeBytes / job.blockSizeBytes))
}

async function storeChunk(
  job: ChunkJob,
  chunk: Chunk,
  context: PipelineContext,
  turn: Turn,
  meter: ProgressMeter,
): Promise<void> {
  const lengthBytes = chunk.bytes.length
  const whole = !job.incremental
  const { sha256s, md5 } = await context.slots.run(() =>
    hashChunk({ bytes: chunk.bytes, blockSizeBytes: job.blockSizeBytes, md5: whole }),
  )
  const named = await turn(() => {
    job.totals.sizeBytes = chunk.offsetBytes + lengthBytes
    return nameRuns(job, chunk, sha256s ?? new Uint8Array(0))
  })
  let users = named.length
  const release = (): void => {
    users -= 1
    if (users === 0) chunk.release()
  }
  if (users === 0) chunk.release()
  await Promise.all(
    named.map(({ run, index, name }) =>
      context.slots.run(async () => {
        const stored = await storeRun(
          job.sink,
          {
            name,
            offsetBytes: chunk.offsetBytes + run.startBytes,
            bytes: chunk.bytes.subarray(run.startBytes, run.endBytes),
            md5,
            release,
          },
          context,
        )
        job.objects[index] = stored.object
        meter.add({ transferredBytes: stored.storedBytes, objects: 1 })
      }),
    ),
  )
  meter.add({ done: lengthBytes })
}

interface NamedRun {
  readonly run: ChangedRun
  readonly index: number
  readonly name: string
}

/** Takes the next names, in the chunk's turn. */
function nameRuns(job: ChunkJob, chunk: Chunk, sha256s: Uint8Array): NamedRun[] {
  const changed = takeChangedRuns(
    job.hashes,
    sha256s,
    chunk.offsetBytes / job.blockSizeBytes,
    job.blockSizeBytes,
    chunk.bytes.length,
  )
  const runs = job.joinRuns ? joinNearbyRuns(changed) : changed
  return runs.map((run) => {
    const index = job.objects.push(undefined) - 1
    const name = chunkObjectName(job.prefix, index + 1)
    job.namesTaken.push(name)
    return { run, index, name }
  })
}

import { chunkObjectName } from '../format/object-names.js'
import type { StoredObject } from '../format/metadata.js'
import type { StreamPlan } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import type { OpenSource } from '../contracts/volume.js'
import { ChunkBody } from './chunk-body.js'
import type { ChunkPlace } from './chunk-pass.js'
import { Zeros } from './fill-piece.js'
import { dataWithin, type SourceHints } from './source-hints.js'
import type { ChunkJob } from './store-chunks.js'

/**
 * Stores the chunks of a full backup that is not compressed, several at a time, each while it is read: of none is more
 * in memory than a few pieces. Where a store is asked again, the source is.
 *
 * @param source - one that is `seekable`
 */
export async function streamChunks(
  job: ChunkJob,
  plan: StreamPlan,
  source: OpenSource,
  hints: SourceHints,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { concurrency, windowBytes, pieceSizeBytes } = plan
  const { blockSizeBytes } = job
  const zeros = new Zeros(pieceSizeBytes)
  await runPipeline(
    { concurrency, memoryBytes: concurrency * windowBytes, signal, operation: 'The backup' },
    (context) => chunkPlaces(plan, hints, context),
    async (place, context, turn) => {
      const { buffers, budget } = context
      const means = { source, blockSizeBytes, pieceSizeBytes, zeros, buffers, signal: context.signal }
      const body = new ChunkBody(place, means, (lengthBytes) => {
        meter.add({ done: lengthBytes })
      })
      let stored: StoredChunk
      try {
        stored = await storeChunk(job, place, body, context)
        meter.add({ transferredBytes: place.lengthBytes, objects: 1 })
      } finally {
        await body.close()
        budget.give(windowBytes)
      }
      // Its memory does not wait for the turn: a chunk that is sent again must not keep the others from starting.
      await turn(() => {
        job.hashes.append(stored.sha256s)
        job.objects.push(stored.object)
      })
    },
  )
  job.totals.sizeBytes = plan.volumeSizeBytes
}

/** The chunks in the order of the volume, each when there is memory for it. */
async function* chunkPlaces(
  { volumeSizeBytes, objectSizeBytes, windowBytes }: StreamPlan,
  hints: SourceHints,
  { budget }: PipelineContext,
): AsyncGenerator<ChunkPlace> {
  for (let number = 1; (number - 1) * objectSizeBytes < volumeSizeBytes; number += 1) {
    const offsetBytes = (number - 1) * objectSizeBytes
    await budget.take(windowBytes, 'fresh')
    const lengthBytes = Math.min(objectSizeBytes, volumeSizeBytes - offsetBytes)
    yield { number, offsetBytes, lengthBytes, data: await dataWithin(hints, offsetBytes, lengthBytes) }
  }
}

/** A chunk in the store. */
interface StoredChunk {
  readonly object: StoredObject
  /** Of each block, 32 bytes each. */
  readonly sha256s: Uint8Array
}

async function storeChunk(
  job: ChunkJob,
  place: ChunkPlace,
  body: ChunkBody,
  { signal }: PipelineContext,
): Promise<StoredChunk> {
  const { number, offsetBytes, lengthBytes } = place
  const { sink, prefix } = await job.destination
  const name = chunkObjectName(prefix, number)
  await sink.written.write(name, body, { signal, extraMetadata: sink.extraMetadata })
  const { md5, sha256s } = await body.hashes()
  return { sha256s, object: { name, offsetBytes, lengthBytes, compression: 'none', md5 } }
}

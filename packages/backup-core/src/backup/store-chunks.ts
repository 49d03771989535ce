import type { ReplayableBody } from '../contracts/object-store.js'
import type { OpenSource } from '../contracts/volume.js'
import type { HashList } from '../format/hash-list.js'
import type { StoredObject } from '../format/manifest.js'
import { dataObjectName } from '../format/object-names.js'
import { md5Of } from '../hash/chunk-hasher.js'
import { chunkMemoryBytes, type ChunkPlan } from '../pipeline/memory-plan.js'
import { runPipeline, type PipelineContext, type InOrder } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import { ChunkChanges, MAX_JOINED_BYTES, type RunInMemory } from './changed-runs.js'
import { ChunkBody } from './chunk-body.js'
import { ChunkReader, type ChunkReaderOptions } from './chunk-reader.js'
import type { Destination } from './destination.js'
import type { ObjectSink } from './object-sink.js'
import { storeRun } from './store-run.js'
import { partsBody } from '../store/objects.js'
import { volumeChunks, type SourceHints, type VolumeChunk } from './volume-chunks.js'

/** How a volume is stored, and its hashes and objects so far. */
export interface VolumeJob {
  /** Awaited before the first object is stored: reading and hashing begin earlier. */
  readonly destination: Promise<Destination>
  readonly plan: ChunkPlan
  /** How many small objects are stored concurrently. */
  readonly smallConcurrency: number
  readonly blockSizeBytes: number
  readonly incremental: boolean
  /** Maximum of unchanged bytes that are stored so that scattered changes share an object. */
  readonly joinGapBytes: number
  /** The parent's hashes, which become the volume's own; empty for a full backup. */
  readonly hashes: HashList
  /** In the order of their names. An entry is undefined, or not there yet, until its object is stored. */
  readonly objects: (StoredObject | undefined)[]
  /** The size of the volume, and the bytes of its objects as stored. */
  readonly totals: { sizeBytes: number; storedDataBytes: number }
}

/** The part of a buffered chunk's progress that is reading and hashing it; compressing and storing it are the rest. */
const READ_FRACTION = 1 / 2

/**
 * Reads, hashes, compares, compresses and stores a volume, several chunks concurrently. Objects are numbered in the order
 * of the volume, as Cinder numbers them.
 */
export async function storeChunks(
  job: VolumeJob,
  source: OpenSource,
  hints: SourceHints,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { plan, smallConcurrency, incremental } = job
  const { concurrency, memoryBytes, reserveBytes } = plan
  const minStoredBufferBytes = incremental ? Math.min(plan.objectSizeBytes, MAX_JOINED_BYTES) : 0
  const limits = { concurrency, memoryBytes, reserveBytes, smallConcurrency, minStoredBufferBytes }
  const zeroBytes = Math.min(plan.pieceSizeBytes, source.sizeBytes ?? plan.pieceSizeBytes)
  const zeros = new Uint8Array(new SharedArrayBuffer(zeroBytes))
  await runPipeline(
    { ...limits, signal, operation: 'The backup' },
    (context) => volumeChunks(source, plan, hints, context),
    async (chunk, context, inOrder) => {
      const work = { job, chunk, source, zeros, meter, context, inOrder }
      try {
        await (plan.streamed ? storeStreamed(work) : storeBuffered(work))
      } finally {
        // After a failure: 0 bytes ends the source, so that no further chunk is read.
        chunk.onReadEnd(0)
      }
    },
  )
  job.totals.sizeBytes = source.sizeBytes ?? job.totals.sizeBytes
  job.hashes.truncate(Math.ceil(job.totals.sizeBytes / job.blockSizeBytes))
}

/** A chunk, and the dependencies of storing it. */
interface ChunkWork {
  readonly job: VolumeJob
  readonly chunk: VolumeChunk
  readonly source: OpenSource
  readonly zeros: Uint8Array
  readonly meter: ProgressMeter
  readonly context: PipelineContext
  readonly inOrder: InOrder
}

/** Stores a chunk of a full backup while it is read: only a few of its pieces are in memory. */
async function storeStreamed(work: ChunkWork): Promise<void> {
  const { job, chunk, meter, context } = work
  const { number, offsetBytes, lengthBytes } = chunk
  const portion = new Portion(meter, lengthBytes)
  const startReading = (): ChunkReader =>
    openReader(work, {
      onProgress: (_, hashedBytes) => {
        portion.reach(hashedBytes / lengthBytes)
      },
      onRelease: () => undefined,
    })
  const body = new ChunkBody(lengthBytes, work.zeros, startReading)
  try {
    const { sink, prefix } = await job.destination
    const name = dataObjectName(prefix, number)
    const { signal, fail } = context
    const { body: stored, compression } = await packChunk(body, sink, signal)
    await sink.writer.write(name, stored, { signal, extraMetadata: sink.extraMetadata }, fail)
    if (stored === body) body.assertSent()
    const { md5, sha256s } = await body.hashes()
    job.hashes.put(offsetBytes / job.blockSizeBytes, sha256s)
    job.objects[number - 1] = { name, offsetBytes, lengthBytes, compression, md5 }
    portion.finish()
    countStored(work, stored.lengthBytes)
  } finally {
    await body.close()
    context.budget.release(chunkMemoryBytes(job.plan, lengthBytes))
  }
}

/** The body of a streamed chunk: the compressed form of one that is all zeros, which need not be sent. */
async function packChunk(
  body: ChunkBody,
  { zerosCompression, compressedZeros }: ObjectSink,
  signal: AbortSignal,
): Promise<{ readonly body: ReplayableBody; readonly compression: string }> {
  const asItIs = { body, compression: 'none' }
  if (!zerosCompression || body.lengthBytes === 0 || !(await body.isAllZeros())) return asItIs
  const zeros = await compressedZeros.compress(zerosCompression, body.lengthBytes, signal)
  if (!zeros) return asItIs
  return { body: partsBody([zeros], () => md5Of([zeros])), compression: zerosCompression.name }
}

/** Reads and compares a chunk, and stores its changes: in a full backup, the whole chunk. */
async function storeBuffered(work: ChunkWork): Promise<void> {
  const { job, chunk, meter, context } = work
  let heldBytes = chunk.lengthBytes
  const returnBytes = (lengthBytes: number): void => {
    heldBytes -= lengthBytes
    context.budget.release(lengthBytes)
  }
  const portion = new Portion(meter, chunk.lengthBytes)
  const reader = openReader(work, {
    onProgress: (readBytes, hashedBytes) => {
      portion.reach((READ_FRACTION * (readBytes + hashedBytes)) / (2 * chunk.lengthBytes))
    },
    onRelease: returnBytes,
  })
  try {
    // In a full backup the list is empty, so that every block counts as changed and the chunk is one run.
    const changes = new ChunkChanges(job.hashes, job.blockSizeBytes, job.joinGapBytes)
    // The length of a stream's chunk is known only from its pieces. Elsewhere pieces without changes may be left out.
    const isSizeUnknown = work.source.sizeBytes === undefined
    let lengthBytes = isSizeUnknown ? 0 : chunk.lengthBytes
    for await (const piece of reader.pieces()) {
      changes.add(piece, await piece.hashes)
      if (isSizeUnknown) lengthBytes += piece.bytes.length
    }
    chunk.onReadEnd(lengthBytes)
    job.totals.sizeBytes = Math.max(job.totals.sizeBytes, chunk.offsetBytes + lengthBytes)
    const countedBytes = portion.countedBytes + (await storeRuns(work, changes.runs(), reader.md5))
    meter.add({ done: lengthBytes - countedBytes })
  } finally {
    await reader.close()
    returnBytes(heldBytes)
  }
}

/**
 * Numbers a chunk's runs of changes after those of the previous chunks, and stores them, several concurrently.
 *
 * @param chunkMd5 - of a full backup's chunk, which is one run
 * @returns how many bytes the progress counts for them
 */
async function storeRuns(
  work: ChunkWork,
  runs: readonly RunInMemory[],
  chunkMd5: Promise<string> | undefined,
): Promise<number> {
  const { job, context, inOrder, meter } = work
  const numbers = await inOrder(() => runs.map(() => job.objects.push(undefined)))
  const { sink, prefix } = await job.destination
  const counts = runs.map(async (run, index) => {
    const number = numbers[index] ?? 0
    const portion = new Portion(meter, Math.floor(run.lengthBytes * (1 - READ_FRACTION)))
    const { object, storedBytes } = await storeRun(
      sink,
      dataObjectName(prefix, number),
      run,
      chunkMd5,
      portion,
      context,
    )
    job.objects[number - 1] = object
    portion.finish()
    countStored(work, storedBytes)
    return portion.countedBytes
  })
  try {
    return (await Promise.all(counts)).reduce((sum, bytes) => sum + bytes, 0)
  } catch (error) {
    // The memory of the chunk can be reused only when no run uses it any more.
    context.fail(error)
    await Promise.allSettled(counts)
    throw error
  }
}

function countStored({ job, meter }: ChunkWork, storedBytes: number): void {
  job.totals.storedDataBytes += storedBytes
  meter.add({ transferredBytes: storedBytes, objects: 1 })
}

type ReaderEvents = Pick<ChunkReaderOptions, 'onProgress' | 'onRelease'>

function openReader({ job, chunk, source, zeros, context }: ChunkWork, events: ReaderEvents): ChunkReader {
  const { plan, blockSizeBytes, incremental } = job
  const { buffers, signal } = context
  // The objects of a full backup are its chunks. Those of an incremental are its changes, which are found by comparing.
  const withMd5 = !incremental
  return new ChunkReader(chunk, { source, plan, blockSizeBytes, withMd5, zeros, buffers, signal, ...events })
}

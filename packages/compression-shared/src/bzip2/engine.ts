import { BackupError } from '@stowage/backup-core'
import type { WorkerPool } from '@stowage/backup-core'
import { copyInSteps } from '../event-loop.js'
import { takeBlockMemory, usualBlockBytes } from './block-memory.js'
import { maxDecompressedBytes } from './format.js'
import { BlockOfRuns, PlainBlock } from './opened-block.js'
import type { OpenedBlock } from './opened-block.js'

/** What compresses a piece, and may decompress a block, in a worker. */
export interface Bzip2Engine {
  /** Shown in errors: `libbzip2`. */
  readonly name: string
  /**
   * A pool, whose file exports the job `compress` for a {@link CompressJob}; `openBlock` for an
   * {@link OpenBlockJob}, where {@link opensBlocks} is set; and `openRuns` of `worker/open-runs.mjs`.
   */
  readonly workers: WorkerPool
  /** The longest result of `compress` for a piece of that length. */
  readonly maxCompressedBytes: (lengthBytes: number) => number
  /** Whether it has `openBlock`. Without it, blocks are decompressed by `openRuns`, in JavaScript. */
  readonly opensBlocks: boolean
}

/** A piece to compress into one bzip2 stream, or several in a sequence. */
interface CompressJob {
  /** Shared memory, which begins with the piece, and with the result afterwards. */
  readonly memory: Uint8Array
  readonly lengthBytes: number
  /** From 1 to 9. */
  readonly level: number
  /** The result may not be longer. */
  readonly maxBytes: number
}

/** A block to decompress: its bits, from its magic up to the magic that seems to follow it. */
interface OpenBlockJob {
  /** Shared memory, which begins with the bits, and with the block's bytes afterwards. */
  readonly memory: Uint8Array
  /** Which bit of the first byte the block begins with. */
  readonly startBit: number
  readonly lengthBits: number
  /** The level that its stream's header declares. */
  readonly level: number
  /** The result may not be longer. */
  readonly maxBytes: number
}

/**
 * What a job returns: the length of its result in bytes; `too long`, where that would not fit and the memory is as it
 * was; `damaged`, where the bits are not a block, end before or after the last bit, or have another checksum. A job
 * that throws fails its call with `COMPRESSION_FAILED`.
 */
type JobResult = number | 'damaged' | 'too long'

/** How many bytes of runs there are, and what they expand to; or why there are none. */
type RunsResult = { readonly runsBytes: number; readonly openedBytes: number } | 'damaged' | 'randomised'

/** A block of a stream: its bits, from its magic up to the next. */
export interface BlockBits {
  /** The bytes that hold them. */
  readonly parts: readonly Uint8Array[]
  /** Which bit of the first byte is the first. */
  readonly startBit: number
  readonly lengthBits: number
  readonly level: number
}

/** A result in memory that must be released. */
export interface CompressedPiece {
  readonly stream: Uint8Array
  readonly memory: Uint8Array
}

/** Compresses one piece. */
export async function compressInWorker(
  engine: Bzip2Engine,
  piece: Uint8Array,
  level: number,
): Promise<CompressedPiece> {
  const maxBytes = engine.maxCompressedBytes(piece.length)
  const memory = takeBlockMemory(Math.max(piece.length, maxBytes))
  await copyInSteps([piece], memory)
  const job: CompressJob = { memory, lengthBytes: piece.length, level, maxBytes }
  const result = await run<JobResult>(engine, 'compress', job)
  if (typeof result === 'number') return { stream: memory.subarray(0, result), memory }
  const message = `${engine.name} compressed ${piece.length} bytes to more than ${maxBytes}. Use another compressor, and report it.`
  throw new BackupError('COMPRESSION_FAILED', message)
}

/** Decompresses a block; where it holds more than `maxBytes`, its runs are expanded when it is read. */
export async function openBlockInWorker(
  engine: Bzip2Engine,
  block: BlockBits,
  maxBytes: number = usualBlockBytes,
): Promise<OpenedBlock | 'damaged'> {
  const { parts, startBit, lengthBits, level } = block
  const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0)
  const memory = takeBlockMemory(Math.max(lengthBytes, maxBytes))
  await copyInSteps(parts, memory)
  const job: OpenBlockJob = { memory, startBit, lengthBits, level, maxBytes }
  const result = engine.opensBlocks ? await run<JobResult>(engine, 'openBlock', job) : 'too long'
  if (typeof result === 'number') return new PlainBlock(memory, result)
  const runs = result === 'damaged' ? result : await run<RunsResult>(engine, 'openRuns', job)
  if (typeof runs === 'object') return new BlockOfRuns(memory, runs.runsBytes, runs.openedBytes)
  if (runs === 'damaged' || !engine.opensBlocks || maxBytes >= maxDecompressedBytes(level)) return 'damaged'
  // A randomised block, which only the engine can decompress, and only as a whole.
  return openBlockInWorker(engine, block, maxDecompressedBytes(level))
}

const run = async <Result>(
  { workers }: Bzip2Engine,
  job: string,
  data: CompressJob | OpenBlockJob,
): Promise<Result> => (await workers.run(job, data)) as Result

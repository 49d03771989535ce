import { pathToFileURL } from 'node:url'
import { BackupError } from '@stowage/backup-core'
import { joinInTurns, runInWorker } from '@stowage/compression-workers'
import { mostOpenedBytes } from './block-limits.js'
import type { Bzip2Engine, CompressJob, JobAnswer, OpenBlockJob } from './engine.js'
import { BlockOfRuns, PlainBlock } from './opened-block.js'
import type { OpenedBlock } from './opened-block.js'
import { giveMemory, takeMemory, usualBytes } from './piece-memory.js'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** From `src` and from `dist` alike, the worker lies in the folder beside. */
const runsFile = new URL('../worker/runs-worker.mjs', here)

/** What a worker made. Its bytes lie in memory that the next job will use. */
export interface Lent {
  readonly bytes: Uint8Array
  /** To be called once, when the bytes have been copied. */
  readonly free: () => void
}

/** A block of a stream: its bits, from its magic up to the next. */
export interface BlockBits {
  /** The bytes that hold them. */
  readonly parts: readonly Uint8Array[]
  /** Which bit of the first byte is the first. */
  readonly startBit: number
  readonly lengthBits: number
  readonly level: number
}

/** Compresses one piece. The piece is the caller's again at once. */
export async function compressInWorker(engine: Bzip2Engine, piece: Uint8Array, level: number): Promise<Lent> {
  const mostBytes = engine.mostCompressedBytes(piece.length)
  const { memory, free } = await memoryWith([piece], mostBytes)
  const job: CompressJob = { memory, lengthBytes: piece.length, level, mostBytes }
  const answer = await run<JobAnswer>(engine.workerFile, 'compress', job)
  if (typeof answer === 'number') return { bytes: memory.subarray(0, answer), free }
  free()
  const message = `${engine.name} made more than ${mostBytes} bytes of ${piece.length}. Use another compression, and report it.`
  throw new BackupError('COMPRESSION_FAILED', message)
}

/** Opens a block; where it holds more than `mostBytes`, its runs are expanded when it is read. */
export async function openBlockInWorker(
  engine: Bzip2Engine,
  block: BlockBits,
  mostBytes = usualBytes,
): Promise<OpenedBlock | 'damaged'> {
  const { parts, startBit, lengthBits, level } = block
  const { memory, free } = await memoryWith(parts, mostBytes)
  const job: OpenBlockJob = { memory, startBit, lengthBits, level, mostBytes }
  const answer = engine.opensBlocks
    ? await run<JobAnswer>(engine.workerFile, 'openBlock', job)
    : ('too long' as const)
  if (typeof answer === 'number') return new PlainBlock(memory.subarray(0, answer), free)
  const runs = answer === 'damaged' ? answer : await run<RunsAnswer>(runsFile, 'openRuns', job)
  if (typeof runs === 'object') {
    return new BlockOfRuns(memory.subarray(0, runs.runsBytes), runs.openedBytes, free)
  }
  free()
  if (runs === 'damaged' || !engine.opensBlocks || mostBytes >= mostOpenedBytes(level)) return 'damaged'
  // A randomised block, which the engine alone can open, and as a whole only.
  return openBlockInWorker(engine, block, mostOpenedBytes(level))
}

/** How many bytes of runs there are, and what they expand to; or why there are none. */
type RunsAnswer = { readonly runsBytes: number; readonly openedBytes: number } | 'damaged' | 'randomised'

/** A copy of `input` in shared memory, in which there is room for a result of `mostBytes`. */
async function memoryWith(
  input: readonly Uint8Array[],
  mostBytes: number,
): Promise<{ memory: Uint8Array; free: () => void }> {
  const inputBytes = input.reduce((sum, part) => sum + part.length, 0)
  const memory = takeMemory(Math.max(inputBytes, mostBytes))
  await joinInTurns(input, memory)
  const free = (): void => {
    giveMemory(memory)
  }
  return { memory, free }
}

/** A job that fails keeps its memory: a worker that died may have left another to write there. */
const run = async <Answer>(file: URL, job: string, data: CompressJob | OpenBlockJob): Promise<Answer> =>
  (await runInWorker({ file, job, data, transfer: [] })) as Answer

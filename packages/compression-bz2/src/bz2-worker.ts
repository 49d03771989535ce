import { pathToFileURL } from 'node:url'
import { BackupError } from '@stowage/backup-core'
import { joinInTurns, runInWorker } from '@stowage/compression-workers'
import { mostCompressedBytes, mostOpenedBytes } from './block-limits.js'
import { BlockOfRuns, PlainBlock } from './opened-block.js'
import type { OpenedBlock } from './opened-block.js'
import { giveMemory, takeMemory, usualBytes } from './piece-memory.js'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** From `src` and from `dist` alike, the worker lies in the folder beside. */
const file = new URL('../worker/bz2-worker.mjs', here)

/** What libbzip2 answers when the output does not fit (`BZ_OUTBUFF_FULL`). */
const outputFull = -8

/** What it answers to data that no compressor wrote: `BZ_DATA_ERROR`, `BZ_DATA_ERROR_MAGIC`, `BZ_UNEXPECTED_EOF`. */
const damageStatuses: ReadonlySet<number> = new Set([-4, -5, -7])

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

/** Compresses one piece into one stream. The piece is the caller's again at once. */
export async function compressInWorker(piece: Uint8Array, level: number): Promise<Lent> {
  const mostBytes = mostCompressedBytes(piece.length)
  const { memory, free, result } = await inMemory('compress', [piece], mostBytes, {
    lengthBytes: piece.length,
    level,
  })
  if (typeof result === 'number') return { bytes: memory.subarray(0, result), free }
  free()
  throw failed(result)
}

/** Opens a block; where it holds more than `mostBytes`, its runs are expanded when it is read. */
export async function openBlockInWorker(
  block: BlockBits,
  mostBytes = usualBytes,
): Promise<OpenedBlock | 'damaged'> {
  const { parts, startBit, lengthBits, level } = block
  const { memory, free, result } = await inMemory('openBlock', parts, mostBytes, {
    startBit,
    lengthBits,
    level,
  })
  if (typeof result === 'number') return new PlainBlock(memory.subarray(0, result), free)
  if ('runsBytes' in result) {
    return new BlockOfRuns(memory.subarray(0, result.runsBytes), result.openedBytes, free)
  }
  free()
  if (damageStatuses.has(result.status)) return 'damaged'
  if (result.status !== outputFull || mostBytes >= mostOpenedBytes(level)) throw failed(result)
  // A randomised block, which libbzip2 alone can open, and as a whole only.
  return openBlockInWorker(block, mostOpenedBytes(level))
}

interface Failure {
  readonly status: number
}

/** What the jobs give: how many bytes they made, how many of runs and what those expand to, or that they failed. */
interface ResultOf {
  readonly compress: number | Failure
  readonly openBlock: number | Failure | { readonly runsBytes: number; readonly openedBytes: number }
}

/** The rest of a job's data. */
type Details = Readonly<Record<string, number>>

/** Runs a job on a copy of `input` in shared memory, where its result of `mostBytes` at most lies afterwards. */
async function inMemory<Name extends keyof ResultOf>(
  job: Name,
  input: readonly Uint8Array[],
  mostBytes: number,
  details: Details,
): Promise<{ memory: Uint8Array; free: () => void; result: ResultOf[Name] }> {
  const inputBytes = input.reduce((sum, part) => sum + part.length, 0)
  const memory = takeMemory(Math.max(inputBytes, mostBytes))
  const free = (): void => {
    giveMemory(memory)
  }
  await joinInTurns(input, memory)
  // A job that fails keeps its memory: a worker that died may have left another to write there.
  const data = { memory, mostBytes, ...details }
  const result = await runInWorker({ file, job, data, transfer: [] })
  return { memory, free, result: result as ResultOf[Name] }
}

const failed = ({ status }: Failure): BackupError =>
  new BackupError(
    'COMPRESSION_FAILED',
    `libbzip2 failed with status ${status}. Give the program more memory, and try again.`,
  )

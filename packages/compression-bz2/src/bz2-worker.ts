import { pathToFileURL } from 'node:url'
import { BackupError } from '@stowage/backup-core'
import { joinInTurns, runInWorker } from '@stowage/compression-workers'
import { mostCompressedBytes } from './block-limits.js'
import { giveMemory, takeMemory } from './piece-memory.js'

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
  readonly startBit: number
  readonly endBit: number
  readonly level: number
}

/** Compresses one piece into one stream. The piece is the caller's again at once. */
export async function compressInWorker(piece: Uint8Array, level: number): Promise<Lent> {
  const mostBytes = mostCompressedBytes(piece.length)
  const made = await inMemory(piece, mostBytes, (memory) => ({
    job: 'compress',
    data: { memory, lengthBytes: piece.length, level, mostBytes },
  }))
  if ('status' in made) throw failed(made.status)
  return made
}

/** Opens a block of `bytes`, to `mostBytes` at most. The bytes are the caller's again at once. */
export async function openBlockInWorker(
  bytes: Uint8Array,
  { startBit, endBit, level }: BlockBits,
  mostBytes: number,
): Promise<Lent | 'damaged' | 'too long'> {
  const first = Math.floor(startBit / 8)
  const block = bytes.subarray(first, Math.ceil(endBit / 8))
  const made = await inMemory(block, mostBytes, (memory) => ({
    job: 'openBlock',
    data: { memory, startBit: startBit % 8, lengthBits: endBit - startBit, level, mostBytes },
  }))
  if (!('status' in made)) return made
  if (made.status === outputFull) return 'too long'
  if (damageStatuses.has(made.status)) return 'damaged'
  throw failed(made.status)
}

interface Job {
  readonly job: string
  readonly data: unknown
}

/** Runs a job on a copy of `input` in shared memory, where its result of `mostBytes` at most lies afterwards. */
async function inMemory(
  input: Uint8Array,
  mostBytes: number,
  jobOn: (memory: Uint8Array) => Job,
): Promise<Lent | { status: number }> {
  const memory = takeMemory(Math.max(input.length, mostBytes))
  const free = (): void => {
    giveMemory(memory)
  }
  await joinInTurns([input], memory)
  // A job that fails keeps its memory: a worker that died may have left another to write there.
  const result = await runInWorker({ file, ...jobOn(memory), transfer: [] })
  if (typeof result === 'number') return { bytes: memory.subarray(0, result), free }
  free()
  return result as { status: number }
}

const failed = (status: number): BackupError =>
  new BackupError(
    'COMPRESSION_FAILED',
    `libbzip2 failed with status ${status}. Give the program more memory, and try again.`,
  )

import { totalmem } from 'node:os'

/** How a volume is cut and read so that what is in flight fits into memory. */
export interface ChunkPlan {
  /**
   * Whether chunks are sent to the store while they are read, and read again where the store has to be asked again; else
   * each is held in memory until it is stored.
   */
  readonly sendWhileRead: boolean
  /** Maximum of bytes of the volume in one object: the chunk size, or less where memory or the volume is smaller. */
  readonly objectSizeBytes: number
  /** What is read and hashed at a time: whole blocks. */
  readonly pieceSizeBytes: number
  /** How many pieces of a chunk are read ahead of what is done with them. */
  readonly readAheadPieces: number
  /** Whether the pieces of a chunk lie in one buffer. */
  readonly contiguous: boolean
  /** How many objects are compressed and stored concurrently. */
  readonly concurrency: number
  /** All that chunks may hold: never more than `(concurrency + 2) × objectSizeBytes`. */
  readonly memoryBytes: number
  /** The part of it that what is read may not take, so that what is compressed can be finished. */
  readonly reserveBytes: number
}

/** The memory that a chunk takes from when it is read until it is stored. */
export function chunkMemoryBytes(plan: ChunkPlan, lengthBytes: number): number {
  return plan.sendWhileRead ? plan.readAheadPieces * plan.pieceSizeBytes : lengthBytes
}

/** What this process may use: the machine's memory, or its container's. */
export function usableMemoryBytes(): number {
  const constrained = process.constrainedMemory()
  const machine = totalmem()
  // Without a limit the kernel reports none, or a number beyond any machine.
  return constrained > 0 ? Math.min(constrained, machine) : machine
}

/** A quarter of what this process may use. */
export function defaultMaxMemoryBytes(): number {
  return Math.floor(usableMemoryBytes() / 4)
}

/** The chunks beside those in work: one that is being read, and one whose compressed form is being made. */
const SPARE_CHUNKS = 2

/**
 * What is read at a time: small enough that all cores hash the first chunk while it is read, and that a volume without
 * changes is compared in memory that stays in the processor's reach; more than any gap between changes that are stored
 * together.
 */
const PIECE_BYTES = 8 * 1024 * 1024

/** What a compressor takes. */
export type CompressedFrom = 'one' | 'parts'

/** What the plan of a backup depends on. */
export interface ChunkPlanOptions {
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Undefined when it is not known. */
  readonly volumeSizeBytes: number | undefined
  readonly incremental: boolean
  /** How what is stored is compressed, if it is: from parts that lie apart, or only from one contiguous buffer. */
  readonly compressed: CompressedFrom | null
  /** Whether the store takes bodies as they come, and the source can be read again. */
  readonly canSendWhileRead: boolean
  readonly concurrency: number
  readonly maxMemoryBytes: number
}

/** Decides how the chunks of a backup are read, and turns a limit in bytes into a number of chunks in flight. */
export function planChunks(options: ChunkPlanOptions): ChunkPlan {
  return planSending(options) ?? planHolding(options)
}

/**
 * Where the limit does not hold three chunks, objects become smaller: any offset and length is legal to a reader of the
 * format, Cinder's too.
 */
function planHolding(options: ChunkPlanOptions): ChunkPlan {
  const { blockSizeBytes, volumeSizeBytes, incremental, compressed, maxMemoryBytes } = options
  const wholeBlocks = (bytes: number): number =>
    Math.max(1, Math.floor(bytes / blockSizeBytes)) * blockSizeBytes
  const volumeBlocksBytes =
    volumeSizeBytes === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.ceil(volumeSizeBytes / blockSizeBytes)) * blockSizeBytes

  // A full backup of one chunk never holds more than that chunk and its compressed form.
  const wanted = Math.min(options.chunkSizeBytes, volumeBlocksBytes)
  const chunksOfVolume = Math.ceil(volumeBlocksBytes / wanted)
  const leastChunks = chunksOfVolume === 1 && !incremental ? 2 : 1 + SPARE_CHUNKS
  const objectSizeBytes =
    wanted * leastChunks <= maxMemoryBytes
      ? wanted
      : wholeBlocks(Math.min(wanted, maxMemoryBytes / (1 + SPARE_CHUNKS)))

  const fitting = Math.floor(maxMemoryBytes / objectSizeBytes) - SPARE_CHUNKS
  const concurrency = Math.max(1, Math.min(options.concurrency, fitting))
  const { read, reserved, ahead } = chunkShares({ incremental, compressed, concurrency })
  // Of a small chunk, all: another is ready when one is stored.
  const aheadBytes = incremental
    ? ahead * objectSizeBytes
    : Math.max(ahead * objectSizeBytes, Math.min(objectSizeBytes, PIECE_BYTES))
  const reserveBytes = reserved * objectSizeBytes
  return {
    sendWhileRead: false,
    objectSizeBytes,
    pieceSizeBytes: evenPieces(objectSizeBytes, blockSizeBytes),
    readAheadPieces: Math.max(2, concurrency),
    // In a full backup all of a chunk is stored, and most compressors and stores take it in one buffer.
    contiguous: !incremental,
    concurrency,
    memoryBytes: read * objectSizeBytes + Math.floor(aheadBytes) + reserveBytes,
    reserveBytes,
  }
}

/** What is read, hashed and sent at a time of a chunk that is not held whole: what a processor's caches hold. */
const STREAMED_PIECE_BYTES = 1024 * 1024

/** How many such pieces of a chunk are in memory: enough to hide the stalls of a disk and of a store from each other. */
export const READ_AHEAD_PIECES = 6

/**
 * Undefined where chunks have to be held: they are compressed or compared, the source cannot be read twice, or the store
 * takes no streams. Also where a chunk is not larger than what would be held of it, or memory is too small for that.
 */
function planSending(options: ChunkPlanOptions): ChunkPlan | undefined {
  const { chunkSizeBytes, blockSizeBytes, concurrency, maxMemoryBytes } = options
  if (!options.canSendWhileRead || options.incremental || options.compressed !== null) return undefined
  const pieceSizeBytes = Math.max(1, Math.floor(STREAMED_PIECE_BYTES / blockSizeBytes)) * blockSizeBytes
  const windowBytes = READ_AHEAD_PIECES * pieceSizeBytes
  if (chunkSizeBytes <= windowBytes || windowBytes > maxMemoryBytes) return undefined
  const chunks = Math.min(concurrency, Math.floor(maxMemoryBytes / windowBytes))
  return {
    sendWhileRead: true,
    objectSizeBytes: chunkSizeBytes,
    pieceSizeBytes,
    readAheadPieces: READ_AHEAD_PIECES,
    contiguous: false,
    concurrency: chunks,
    memoryBytes: chunks * windowBytes,
    reserveBytes: 0,
  }
}

/** Pieces of about one size, so that the last one of a chunk is not the one that all wait for. */
function evenPieces(objectSizeBytes: number, blockSizeBytes: number): number {
  const pieces = Math.ceil(objectSizeBytes / PIECE_BYTES)
  return Math.ceil(objectSizeBytes / blockSizeBytes / pieces) * blockSizeBytes
}

/**
 * How many chunks may be held as they were read, how many chunks' worth is kept for what is made of them, and how much
 * of one more is read ahead: fresh memory costs more than the wait that more of it would save.
 */
function chunkShares(backup: {
  incremental: boolean
  compressed: CompressedFrom | null
  concurrency: number
}): { read: number; reserved: number; ahead: number } {
  const { incremental, compressed, concurrency } = backup
  if (!incremental) return { read: concurrency, reserved: compressed ? 1 : 0, ahead: 1 / 2 }
  if (compressed === null) return { read: Math.max(2, concurrency), reserved: 0, ahead: 0 }
  const read = Math.max(1, concurrency - 1)
  // What lies in several pieces stays there until it is compressed; or it is put together before, and its pieces are let
  // go then, so that the next chunk is read early enough without more room.
  return compressed === 'parts' ? { read, reserved: 1, ahead: 1 / 4 } : { read, reserved: 2, ahead: 0 }
}

/**
 * How many objects are fetched at once, and the memory that they may take: what is stored in another form takes it twice
 * until it is open, for one object more than are fetched. Still more would cost more than the wait that it saves.
 */
export function planFetchMemory(options: {
  readonly largestObjectBytes: number
  readonly compressed: boolean
  readonly concurrency: number
  readonly maxMemoryBytes: number
}): { readonly concurrency: number; readonly memoryBytes: number } {
  const { largestObjectBytes, maxMemoryBytes } = options
  const fitting = Math.max(1, Math.floor(maxMemoryBytes / largestObjectBytes) - SPARE_CHUNKS)
  const concurrency = Math.min(options.concurrency, fitting)
  const spareChunks = options.compressed ? 1 : 0
  const memoryBytes = Math.min(maxMemoryBytes, (concurrency + spareChunks) * largestObjectBytes)
  return { concurrency, memoryBytes }
}

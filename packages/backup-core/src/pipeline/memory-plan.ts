import { totalmem } from 'node:os'

/** How a volume is divided and read so that the chunks in progress fit into memory. */
export interface ChunkPlan {
  /**
   * Whether chunks are sent to the store while they are read, and read again where a request is retried; otherwise each is
   * buffered: held in memory until it is stored.
   */
  readonly streamed: boolean
  /** Maximum of bytes of the volume in one object: the chunk size, or less where memory or the volume is smaller. */
  readonly objectSizeBytes: number
  /** The number of bytes that are read and hashed at a time: whole blocks. */
  readonly pieceSizeBytes: number
  /** How many pieces of a chunk are in memory: the consumer's, and those that are read ahead. */
  readonly piecesInMemory: number
  /** Whether the pieces of a chunk lie in one buffer. A chunk that is a hole as a whole has no buffer. */
  readonly contiguous: boolean
  /** How many chunks are compressed and stored concurrently; of streamed chunks, for how many the memory is sized. */
  readonly concurrency: number
  /** The memory of all chunks: at most `(concurrency + 2) × objectSizeBytes`. */
  readonly memoryBytes: number
  /** The part of it that reading may not take, so that compressing can be finished. */
  readonly reserveBytes: number
}

/** Returns the memory that a chunk takes until it is stored. */
export function chunkMemoryBytes(plan: ChunkPlan, lengthBytes: number): number {
  return plan.streamed ? plan.piecesInMemory * plan.pieceSizeBytes : lengthBytes
}

/** Returns the memory that this process may use: the machine's, or its container's. */
export function usableMemoryBytes(): number {
  const constrained = process.constrainedMemory()
  const machine = totalmem()
  // Without a limit the kernel reports 0, or a number larger than the memory of any machine.
  return constrained > 0 ? Math.min(constrained, machine) : machine
}

/** Returns a quarter of the memory that this process may use. */
export function defaultMaxMemoryBytes(): number {
  return Math.floor(usableMemoryBytes() / 4)
}

/** The chunks in addition to those in progress: one that is read, and one that is compressed. */
const SPARE_CHUNKS = 2

/**
 * The number of bytes that are read at a time: few enough that all cores hash the first chunk while it is read, and that
 * an unchanged volume is compared in little memory.
 */
const PIECE_BYTES = 4 * 1024 * 1024

/**
 * The maximum of `joinGapBytes`. A gap that is stored must be in memory, and so be shorter than any piece but the last:
 * a chunk that does not fit into one piece has pieces of more than half of that length.
 */
export const MAX_JOIN_GAP_BYTES: number = PIECE_BYTES / 2

/** The input of a compressor: one buffer, or several. */
export type CompressorInput = 'one' | 'parts'

/** The conditions of a plan. */
export interface ChunkPlanOptions {
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Undefined where it is not known. */
  readonly volumeSizeBytes: number | undefined
  readonly incremental: boolean
  /** The input of the compressor; null where nothing is compressed. */
  readonly compressorInput: CompressorInput | null
  /** Whether the store accepts streams, and the source can be read again. */
  readonly canStream: boolean
  readonly concurrency: number
  /** The same for chunks that are streamed. */
  readonly streamedConcurrency: number
  readonly maxMemoryBytes: number
}

/** Decides how the chunks of a backup are read, and how many fit into the memory limit. */
export function planChunks(options: ChunkPlanOptions): ChunkPlan {
  return planStreamed(options) ?? planBuffered(options)
}

/**
 * Plans chunks that are held in memory. Where the limit is less than three chunks, objects become smaller: readers of the
 * format, Cinder among them, accept any offset and length.
 */
function planBuffered(options: ChunkPlanOptions): ChunkPlan {
  const { blockSizeBytes, volumeSizeBytes, incremental, compressorInput, maxMemoryBytes } = options
  const wholeBlocks = (bytes: number): number =>
    Math.max(1, Math.floor(bytes / blockSizeBytes)) * blockSizeBytes
  const volumeBlocksBytes =
    volumeSizeBytes === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.ceil(volumeSizeBytes / blockSizeBytes)) * blockSizeBytes

  // A full backup of one chunk holds at most that chunk and its compressed data.
  const wanted = Math.min(options.chunkSizeBytes, volumeBlocksBytes)
  const chunksOfVolume = Math.ceil(volumeBlocksBytes / wanted)
  const minChunks = chunksOfVolume === 1 && !incremental ? 2 : 1 + SPARE_CHUNKS
  const objectSizeBytes =
    wanted * minChunks <= maxMemoryBytes
      ? wanted
      : wholeBlocks(Math.min(wanted, maxMemoryBytes / (1 + SPARE_CHUNKS)))

  const fitting = Math.floor(maxMemoryBytes / objectSizeBytes) - SPARE_CHUNKS
  const concurrency = Math.max(1, Math.min(options.concurrency, fitting))
  const { reading, reserve, overlapChunks } = memoryInChunks({ incremental, compressorInput, concurrency })
  // A small chunk is read ahead as a whole: the next one is ready when one is stored.
  const aheadBytes = incremental
    ? overlapChunks * objectSizeBytes
    : Math.max(overlapChunks * objectSizeBytes, Math.min(objectSizeBytes, PIECE_BYTES))
  const reserveBytes = reserve * objectSizeBytes
  return {
    streamed: false,
    objectSizeBytes,
    pieceSizeBytes: evenPieceSizeBytes(objectSizeBytes, blockSizeBytes),
    piecesInMemory: Math.max(2, concurrency),
    // A full backup stores the whole chunk, which most compressors and stores accept in one buffer only.
    contiguous: !incremental,
    concurrency,
    memoryBytes: reading * objectSizeBytes + Math.floor(aheadBytes) + reserveBytes,
    reserveBytes,
  }
}

/** The piece of a chunk that is sent while it is read: it fits into a processor's caches. */
const STREAMED_PIECE_BYTES = 1024 * 1024

/** How many such pieces of a chunk are in memory: enough to decouple the latencies of the disk and of the store. */
export const STREAMED_PIECES = 6

/**
 * Plans chunks that are sent while they are read. Undefined where chunks must be held: they are compressed or compared, the
 * source cannot be read twice, or the store accepts no streams; also where a chunk is not larger than its pieces in memory
 * would be, or these exceed the limit.
 */
function planStreamed(options: ChunkPlanOptions): ChunkPlan | undefined {
  const { chunkSizeBytes, blockSizeBytes, streamedConcurrency, maxMemoryBytes } = options
  if (!options.canStream || options.incremental || options.compressorInput !== null) return undefined
  const pieceSizeBytes = Math.max(1, Math.floor(STREAMED_PIECE_BYTES / blockSizeBytes)) * blockSizeBytes
  const windowBytes = STREAMED_PIECES * pieceSizeBytes
  if (chunkSizeBytes <= windowBytes || windowBytes > maxMemoryBytes) return undefined
  const chunks = Math.min(streamedConcurrency, Math.floor(maxMemoryBytes / windowBytes))
  return {
    streamed: true,
    objectSizeBytes: chunkSizeBytes,
    pieceSizeBytes,
    piecesInMemory: STREAMED_PIECES,
    contiguous: false,
    concurrency: chunks,
    memoryBytes: chunks * windowBytes,
    reserveBytes: 0,
  }
}

/** Returns a size of pieces that are about equal, so that a chunk does not wait for a long last one. */
function evenPieceSizeBytes(objectSizeBytes: number, blockSizeBytes: number): number {
  const pieces = Math.ceil(objectSizeBytes / PIECE_BYTES)
  return Math.ceil(objectSizeBytes / blockSizeBytes / pieces) * blockSizeBytes
}

/**
 * Returns the memory for chunks that are read, the reserve for compressing them, and the overlap: how much compressed data may
 * still be sent while the next chunk is read. Each in chunks. First-touch page faults cost more than the wait that more memory
 * would save.
 */
function memoryInChunks(backup: {
  incremental: boolean
  compressorInput: CompressorInput | null
  concurrency: number
}): { reading: number; reserve: number; overlapChunks: number } {
  const { incremental, compressorInput, concurrency } = backup
  if (!incremental) return { reading: concurrency, reserve: compressorInput ? 1 : 0, overlapChunks: 1 / 2 }
  if (compressorInput === null) return { reading: Math.max(2, concurrency), reserve: 0, overlapChunks: 0 }
  const reading = Math.max(1, concurrency - 1)
  // `parts`: the pieces are compressed where they are; the reserve is the output. `one`: they are copied into one buffer, and
  // the reserve is the copy and the output. The pieces are released by then, which leaves memory to read the next chunk.
  return compressorInput === 'parts'
    ? { reading, reserve: 1, overlapChunks: 1 / 4 }
    : { reading, reserve: 2, overlapChunks: 0 }
}

/**
 * Returns how many objects are fetched concurrently, and their memory. Compressed objects take the memory of one object
 * more, for their compressed data. First-touch page faults of more memory would cost more than the wait that it saves.
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

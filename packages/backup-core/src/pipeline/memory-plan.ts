import { availableParallelism, totalmem } from 'node:os'

/** How a volume is cut so that what is in flight fits into memory. */
export interface MemoryPlan {
  /** The most bytes of the volume in one object: the chunk size, or less where memory or the volume is smaller. */
  readonly objectSizeBytes: number
  readonly concurrency: number
  /** `(concurrency + 2) × objectSizeBytes`: all that chunks may hold. */
  readonly memoryBytes: number
}

/** One chunk in work for each core, and one that waits for the store. */
export function defaultConcurrency(): number {
  return Math.min(8, Math.max(2, availableParallelism() + 1))
}

/** A quarter of what this process may use: the machine's memory, or its container's. */
export function defaultMaxMemoryBytes(): number {
  const constrained = process.constrainedMemory()
  const machine = totalmem()
  // Without a limit the kernel reports none, or a number beyond any machine.
  const memory = constrained > 0 ? Math.min(constrained, machine) : machine
  return Math.floor(memory / 4)
}

/** The chunks beside those in work: one that is being read, and one whose compressed form is being made. */
export const SPARE_CHUNKS = 2

/**
 * Turns a cap in bytes into a number of chunks in flight. Where the cap does not hold three chunks, objects become
 * smaller: any offset and length is legal to a reader of the format, Cinder's too.
 */
export function planMemory(options: {
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Undefined when it is not known. */
  readonly volumeSizeBytes: number | undefined
  readonly concurrency: number
  readonly maxMemoryBytes: number
}): MemoryPlan {
  const { blockSizeBytes, volumeSizeBytes, maxMemoryBytes } = options
  const wholeBlocks = (bytes: number): number =>
    Math.max(1, Math.floor(bytes / blockSizeBytes)) * blockSizeBytes
  const volumeBlocksBytes =
    volumeSizeBytes === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.ceil(volumeSizeBytes / blockSizeBytes)) * blockSizeBytes

  // A volume of one chunk never holds more than that chunk and its compressed form.
  const wanted = Math.min(options.chunkSizeBytes, volumeBlocksBytes)
  const chunksOfVolume = Math.ceil(volumeBlocksBytes / wanted)
  const leastChunks = chunksOfVolume === 1 ? 2 : 1 + SPARE_CHUNKS
  const objectSizeBytes =
    wanted * leastChunks <= maxMemoryBytes
      ? wanted
      : wholeBlocks(Math.min(wanted, maxMemoryBytes / (1 + SPARE_CHUNKS)))

  const fitting = Math.floor(maxMemoryBytes / objectSizeBytes) - SPARE_CHUNKS
  const concurrency = Math.max(1, Math.min(options.concurrency, fitting))
  return { objectSizeBytes, concurrency, memoryBytes: (concurrency + SPARE_CHUNKS) * objectSizeBytes }
}

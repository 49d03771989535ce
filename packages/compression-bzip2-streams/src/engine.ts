/** What compresses a piece, and may open a block, within a worker. */
export interface Bzip2Engine {
  /** Shown in errors: `libbzip2`. */
  readonly name: string
  /**
   * The worker's file: an ES module that exports the job `compress`, which takes a {@link CompressJob} and gives a
   * {@link JobAnswer}; and the job `openBlock` for an {@link OpenBlockJob}, where {@link opensBlocks} says so.
   */
  readonly workerFile: URL
  /** What `compress` makes of a piece of that length, in bytes, at most. */
  readonly mostCompressedBytes: (lengthBytes: number) => number
  /** Whether it has `openBlock`. Where it has not, blocks are opened by this package, in JavaScript. */
  readonly opensBlocks: boolean
}

/** A piece to compress into one bzip2 stream, or several in a row. */
export interface CompressJob {
  /** Shared memory, which begins with the piece, and with the result afterwards. */
  readonly memory: Uint8Array
  readonly lengthBytes: number
  /** From 1 to 9. */
  readonly level: number
  /** The result may not be longer. */
  readonly mostBytes: number
}

/** A block to open: its bits, from its magic up to the mark that seems to follow it. */
export interface OpenBlockJob {
  /** Shared memory, which begins with the bits, and with the block's bytes afterwards. */
  readonly memory: Uint8Array
  /** Which bit of the first byte the block begins with. */
  readonly startBit: number
  readonly lengthBits: number
  /** The level that its stream's header says. */
  readonly level: number
  /** The result may not be longer. */
  readonly mostBytes: number
}

/**
 * What a job answers: the length of its result in bytes; `too long`, where that would not fit and the memory is as it
 * was; `damaged`, where the bits are no block, end before or behind the last bit, or have another checksum. A job that
 * throws fails its call with `COMPRESSION_FAILED`.
 */
export type JobAnswer = number | 'damaged' | 'too long'

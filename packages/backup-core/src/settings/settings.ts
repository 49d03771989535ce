import { BackupError } from '../errors/backup-error.js'
import { checkedCompressor } from '../compression/checked-compressor.js'
import type { Compressor } from '../contracts/compressor.js'
import { Compressors, isCinderCompatible } from '../compression/compressors.js'
import { defaultMaxMemoryBytes, usableMemoryBytes } from '../pipeline/memory-plan.js'
import { concurrencyFrom, type Concurrency } from '../pipeline/slots.js'
import type { WarningListener } from '../contracts/progress.js'
import type { ChunkedDriverOptions, DriverDefaults } from '../contracts/options.js'

/** The smallest sector of a disk. */
const MIN_BLOCK_SIZE_BYTES = 512

/** The largest block that a backup writes. A parent may have larger ones: what is stored is read. */
export const MAX_BLOCK_SIZE_BYTES = 64 * 1024 * 1024

/** A SHA-256 in a `_sha256file`, with its quotes and white space. */
const HASH_TEXT_BYTES = 75

/** What a driver was told, and what it would take by itself. */
export interface BlockSizeChoice {
  readonly blockSizeBytes: number
  /** The driver's own: Cinder's default, or what a `cinder.conf` says. */
  readonly defaultBytes: number
  /** Whatever Cinder takes within the bounds is taken. */
  readonly strict: boolean
}

/**
 * Refuses a block size that no backup should be written with.
 *
 * @throws BackupError `OPTION_INVALID`, with the reason
 */
export function assertBlockSize({ blockSizeBytes, defaultBytes, strict }: BlockSizeChoice): void {
  if (!Number.isSafeInteger(blockSizeBytes)) {
    throw refused(blockSizeBytes, 'it must be a whole number of bytes')
  }
  if (blockSizeBytes < MIN_BLOCK_SIZE_BYTES) {
    throw refused(
      blockSizeBytes,
      `it must be at least ${MIN_BLOCK_SIZE_BYTES}, the sector of a disk. Each block takes ${HASH_TEXT_BYTES} bytes in the list of hashes that is stored with every backup, so smaller blocks cost more than they save`,
    )
  }
  if (blockSizeBytes > MAX_BLOCK_SIZE_BYTES) {
    throw refused(
      blockSizeBytes,
      `it must be at most ${MAX_BLOCK_SIZE_BYTES} (64 MiB). A block is held in memory whole, and a change of one byte stores all of it`,
    )
  }
  const isPowerOfTwo = (blockSizeBytes & (blockSizeBytes - 1)) === 0
  if (!isPowerOfTwo && !strict && blockSizeBytes !== defaultBytes) {
    throw refused(
      blockSizeBytes,
      "it must be a power of two, such as 32768. Sectors and pages are powers of two, and other blocks split them. To continue a chain of Cinder's with other blocks, leave blockSizeBytes out: an incremental takes those of its parent",
    )
  }
}

function refused(blockSizeBytes: number, why: string): BackupError {
  return new BackupError('OPTION_INVALID', `Option blockSizeBytes is ${String(blockSizeBytes)}: ${why}.`)
}

/** Cinder's refusal of a pair that does not fit. */
export const BAD_PAIR_TEXT = 'Chunk size is not multiple of block size for creating hash.'

/** A driver's options, checked, with every default filled in. */
export interface DriverSettings {
  /** What the caller chose alone need not fit the block size: that of a parent may be another. */
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Whether the caller chose the chunk size: one that is a default gives way to the block size. */
  readonly chunkSizeGiven: boolean
  /** Whether the caller chose the block size: one that is a default gives way to the parent's. */
  readonly blockSizeGiven: boolean
  readonly container: string | null
  readonly compression: Compressor | null
  readonly compressors: Compressors
  /** 0 in strict mode: Cinder joins nothing. */
  readonly joinGapBytes: number
  readonly concurrency: Concurrency
  readonly maxMemoryBytes: number
  /** What a single object may take that has to be held whole. A limit that the caller set holds for it too. */
  readonly maxObjectMemoryBytes: number
  readonly strict: boolean
  readonly onWarning: WarningListener
  readonly clock: () => Date
  readonly serviceName: string
}

/** What a store needs for one more object costs about as much as this many bytes do. */
const DEFAULT_JOIN_GAP_BYTES = 1024 * 1024

const drop: WarningListener = () => undefined

/**
 * Fills in the defaults of options whose kinds have been checked.
 *
 * @throws BackupError `OPTION_INVALID` for values that do not go together
 */
export function resolveSettings(options: ChunkedDriverOptions, defaults: DriverDefaults): DriverSettings {
  const strict = options.strict !== undefined
  const blockSizeBytes = options.blockSizeBytes ?? defaults.blockSizeBytes
  assertBlockSize({ blockSizeBytes, defaultBytes: defaults.blockSizeBytes, strict })
  const chunkSizeGiven = options.chunkSizeBytes !== undefined
  const chosenBytes = options.chunkSizeBytes ?? defaults.chunkSizeBytes
  // A chunk size that was chosen alone may fit the blocks of an incremental's parent: each backup checks it.
  const fitsLater = chunkSizeGiven && options.blockSizeBytes === undefined && !strict
  const chunkSizeBytes = fitsLater
    ? chosenBytes
    : fitChunkSize(chosenBytes, blockSizeBytes, { given: chunkSizeGiven, strict })
  const compression = options.compression ? checkedCompressor(options.compression) : null
  const compressors = new Compressors([
    ...(compression ? [compression] : []),
    ...(options.decompressors ?? []).map(checkedCompressor),
  ])
  if (strict && compression && !isCinderCompatible(compression)) throw notForCinder(compression)
  return Object.freeze({
    chunkSizeBytes,
    blockSizeBytes,
    chunkSizeGiven,
    blockSizeGiven: options.blockSizeBytes !== undefined,
    container: options.container ?? defaults.container,
    compression,
    compressors,
    joinGapBytes: strict ? 0 : (options.joinGapBytes ?? DEFAULT_JOIN_GAP_BYTES),
    concurrency: concurrencyFrom(options.concurrency),
    maxMemoryBytes: options.maxMemoryBytes ?? defaultMaxMemoryBytes(),
    maxObjectMemoryBytes: options.maxMemoryBytes ?? usableMemoryBytes(),
    strict,
    onWarning: options.onWarning ?? drop,
    clock: checkedClock(options.clock),
    serviceName: defaults.serviceName,
  })
}

/** A chunk size that is a multiple of the block size; one that was chosen is refused if it is not. */
export function fitChunkSize(
  chunkSizeBytes: number,
  blockSizeBytes: number,
  { given, strict }: { readonly given: boolean; readonly strict: boolean },
): number {
  if (chunkSizeBytes % blockSizeBytes === 0) return chunkSizeBytes
  if (given || strict) {
    throw new BackupError(
      'OPTION_INVALID',
      (strict ? `${BAD_PAIR_TEXT} ` : '') +
        `Option \`chunkSizeBytes\` is ${chunkSizeBytes}: it must be a multiple of the block size, which is ${blockSizeBytes} bytes.`,
    )
  }
  return Math.max(1, Math.floor(chunkSizeBytes / blockSizeBytes)) * blockSizeBytes
}

/** A clock that gives a date of its own each time: the caller's stays as it is. */
function checkedClock(clock: (() => Date) | undefined): () => Date {
  if (!clock) return () => new Date()
  return () => {
    const now: unknown = clock()
    if (now instanceof Date && !Number.isNaN(now.getTime())) return new Date(now)
    throw new BackupError('OPTION_INVALID', 'The option `clock` must return a valid Date.')
  }
}

function notForCinder({ name }: Compressor): BackupError {
  return new BackupError(
    'OPTION_INVALID',
    `Option compression is ${JSON.stringify(name)}, which Cinder cannot restore, and strict is 'cinder'. Use a compression that Cinder knows, or leave strict out.`,
  )
}

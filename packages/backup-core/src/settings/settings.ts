import { HASH_LINE_BYTES } from '../format/sha256file.js'
import { BackupError } from '../errors/backup-error.js'
import { checkedCompressor, Compressors, isCinderCompatible } from '../compression/compressors.js'
import type { Compressor } from '../contracts/compressor.js'
import { defaultMaxMemoryBytes, usableMemoryBytes } from '../pipeline/memory-plan.js'
import { concurrencyFrom, type SlotCounts } from '../pipeline/slots.js'
import type { WarningListener } from '../contracts/progress.js'
import type { ChunkedDriverOptions, DriverDefaults } from '../contracts/options.js'

/** The smallest sector of a disk. */
const MIN_BLOCK_SIZE_BYTES = 512

/** The largest block of a new chain. A parent may have larger ones: an incremental reads and keeps them. */
export const MAX_BLOCK_SIZE_BYTES = 64 * 1024 * 1024

/**
 * Rejects a block size that no backup should be written with.
 *
 * @param defaultBytes - the driver's own: Cinder's default, or the value of a `cinder.conf`
 * @param strict - accepts every size that Cinder accepts
 * @throws BackupError `OPTION_INVALID`, with the reason
 */
function assertBlockSize(blockSizeBytes: number, defaultBytes: number, strict: boolean): void {
  const isPowerOfTwo = (blockSizeBytes & (blockSizeBytes - 1)) === 0
  let why: string
  if (!Number.isSafeInteger(blockSizeBytes)) why = 'it must be a whole number of bytes'
  else if (blockSizeBytes < MIN_BLOCK_SIZE_BYTES)
    why = `it must be at least ${MIN_BLOCK_SIZE_BYTES}, the sector of a disk. Each block takes ${HASH_LINE_BYTES} bytes in the list of hashes that is stored with every backup, so smaller blocks cost more than they save`
  else if (blockSizeBytes > MAX_BLOCK_SIZE_BYTES)
    why = `it must be at most ${MAX_BLOCK_SIZE_BYTES} (64 MiB). A block is held in memory whole, and a change of one byte stores all of it`
  else if (!isPowerOfTwo && !strict && blockSizeBytes !== defaultBytes)
    why =
      "it must be a power of two, such as 32768. Sectors and pages are powers of two, and other blocks split them. To continue a chain of Cinder's with other blocks, leave `blockSizeBytes` out: an incremental uses those of its parent"
  else return
  throw new BackupError('OPTION_INVALID', `Option \`blockSizeBytes\` is ${String(blockSizeBytes)}: ${why}.`)
}

/** A driver's validated options, with every default filled in. */
export interface DriverSettings {
  /** A chunk size that was chosen without a block size need not be a multiple of it: the parent's may differ. */
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Whether the caller chose the chunk size: a default is adjusted to the block size. */
  readonly chunkSizeGiven: boolean
  /** Whether the caller chose the block size: a default is replaced by the parent's. */
  readonly blockSizeGiven: boolean
  readonly container: string | null
  readonly compression: Compressor | null
  readonly compressors: Compressors
  /** For objects of zeros, where nothing else is compressed. */
  readonly zerosCompression: Compressor | null
  /** 0 in strict mode: Cinder joins nothing. */
  readonly joinGapBytes: number
  readonly concurrency: SlotCounts
  readonly maxMemoryBytes: number
  /** The memory limit for a single object that must be held whole: the caller's limit, or else all memory. */
  readonly maxObjectMemoryBytes: number
  readonly strict: boolean
  readonly onWarning: WarningListener
  readonly clock: () => Date
  readonly serviceName: string
}

/** A request for one more object costs a store about as much as this many bytes. */
const DEFAULT_JOIN_GAP_BYTES = 1024 * 1024

/**
 * Fills in the defaults of options whose types have been checked.
 *
 * @throws BackupError `OPTION_INVALID` for values that are not compatible
 */
export function resolveSettings(options: ChunkedDriverOptions, defaults: DriverDefaults): DriverSettings {
  const strict = options.strict !== undefined
  const blockSizeBytes = options.blockSizeBytes ?? defaults.blockSizeBytes
  assertBlockSize(blockSizeBytes, defaults.blockSizeBytes, strict)
  const chunkSizeGiven = options.chunkSizeBytes !== undefined
  const chosenBytes = options.chunkSizeBytes ?? defaults.chunkSizeBytes
  // A chunk size that was chosen alone may fit the blocks of an incremental's parent: each backup checks it.
  const fitsLater = chunkSizeGiven && options.blockSizeBytes === undefined && !strict
  const chunkSizeBytes = fitsLater
    ? chosenBytes
    : fitChunkSize(chosenBytes, blockSizeBytes, { given: chunkSizeGiven, strict })
  const compression = options.compression ? checkedCompressor(options.compression) : null
  const compressors = new Compressors(
    [...(compression ? [compression] : []), ...(options.decompressors ?? []).map(checkedCompressor)],
    options.findDecompressor,
  )
  const zlib = compressors.find('zlib')
  if (strict && compression && !isCinderCompatible(compression)) throw notForCinder(compression)
  return Object.freeze({
    chunkSizeBytes,
    blockSizeBytes,
    chunkSizeGiven,
    blockSizeGiven: options.blockSizeBytes !== undefined,
    container: options.container ?? defaults.container,
    compression,
    compressors,
    // Every Cinder restores zlib, since Python has it; but in strict mode objects are as Cinder stores them.
    zerosCompression: !compression && !strict && zlib && isCinderCompatible(zlib) ? zlib : null,
    joinGapBytes: strict ? 0 : (options.joinGapBytes ?? DEFAULT_JOIN_GAP_BYTES),
    concurrency: concurrencyFrom(options.concurrency),
    maxMemoryBytes: options.maxMemoryBytes ?? defaultMaxMemoryBytes(),
    maxObjectMemoryBytes: options.maxMemoryBytes ?? usableMemoryBytes(),
    strict,
    onWarning: safeListener(options.onWarning),
    clock: checkedClock(options.clock),
    serviceName: defaults.serviceName,
  })
}

/** Returns a chunk size that is a multiple of the block size. Rejects a chosen one that is not. */
export function fitChunkSize(
  chunkSizeBytes: number,
  blockSizeBytes: number,
  { given, strict }: { readonly given: boolean; readonly strict: boolean },
): number {
  if (chunkSizeBytes % blockSizeBytes === 0) return chunkSizeBytes
  if (given || strict) {
    throw new BackupError(
      'OPTION_INVALID',
      // Cinder's message.
      (strict ? 'Chunk size is not multiple of block size for creating hash. ' : '') +
        `Option \`chunkSizeBytes\` is ${chunkSizeBytes}: it must be a multiple of the block size, which is ${blockSizeBytes} bytes.`,
    )
  }
  return Math.max(1, Math.floor(chunkSizeBytes / blockSizeBytes)) * blockSizeBytes
}

/** Returns a clock that returns a new, valid date each time: the caller's date is not changed. */
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
    `Option \`compression\` is ${JSON.stringify(name)}, which Cinder cannot restore, and \`strict\` is 'cinder'. Use a compression that Cinder supports, or leave \`strict\` out.`,
  )
}

/**
 * Returns a listener that never throws: a warning may come after the commit, or while a target is being opened, where an
 * error would hide what was done.
 */
export function safeListener(listener: WarningListener | undefined): WarningListener {
  return (warning) => {
    try {
      listener?.(warning)
    } catch {
      // Documented with WarningListener.
    }
  }
}

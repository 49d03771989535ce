import { checkedCompressor } from '../compression/checked-compressor.js'
import type { Compressor } from '../compression/compressor.js'
import { Compressors, isCinderCompatible } from '../compression/compressors.js'
import { BackupError } from '../errors/backup-error.js'
import { defaultMaxMemoryBytes, usableMemoryBytes } from '../pipeline/memory-plan.js'
import { concurrencyFrom, type Concurrency } from '../pipeline/slots.js'
import type { WarningListener } from '../progress/progress.js'
import { assertBlockSize } from './block-size.js'
import type { ChunkedDriverOptions, DriverDefaults } from './options.js'

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
    : fitChunkSize(chosenBytes, blockSizeBytes, chunkSizeGiven || strict)
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
export function fitChunkSize(chunkSizeBytes: number, blockSizeBytes: number, given: boolean): number {
  if (chunkSizeBytes % blockSizeBytes === 0) return chunkSizeBytes
  if (given) {
    throw new BackupError(
      'OPTION_INVALID',
      `${BAD_PAIR_TEXT} The chunk size is ${chunkSizeBytes} bytes, the block size ${blockSizeBytes}: choose a chunk size that the block size divides.`,
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

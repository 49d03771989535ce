import type { DriverCapabilities } from './object-store.js'
import type { BackupCatalog } from './records.js'
import type { Compressor } from './compressor.js'
import type { RetryListener, WarningListener } from './progress.js'

/** Options that every driver takes. */
export interface ChunkedDriverOptions {
  /** The maximum number of bytes of the volume in one object. A multiple of the block size. @default the driver's */
  readonly chunkSizeBytes?: number
  /**
   * The unit in which changes are detected, in bytes: a power of two from 512 to 64 MiB. A `cinder.conf` and strict mode
   * also accept sizes that are not powers of two. An incremental uses its parent's size, whatever it is.
   * @default the driver's; for an incremental the parent's
   */
  readonly blockSizeBytes?: number
  /**
   * The maximum number of unchanged bytes between two runs of changed blocks that are stored again so that the runs share an
   * object; at most 2 MiB. Applies to chunks with more than eight runs: the nearest are joined. A larger value saves
   * objects and requests, a smaller one space; 0 stores one object per run, as Cinder does. Always 0 in strict mode.
   * @default 1 MiB
   */
  readonly joinGapBytes?: number
  /** The container for backups that name none. @default the driver's */
  readonly container?: string
  /**
   * The compressor for writing.
   *
   * @default chunks are stored uncompressed (`none`); objects of zeros with zlib, if `decompressors` has it and the driver is
   *   not strict
   */
  readonly compression?: Compressor
  /**
   * Compressors for reading, in addition to that of `compression`. Without `compression`, zlib also writes objects of zeros.
   *
   * @default []
   */
  readonly decompressors?: readonly Compressor[]
  /**
   * Finds a compressor for reading, for an algorithm that neither `compression` nor `decompressors` has: in lower case, as a
   * manifest names it. Called once for each algorithm, before a restore writes anything. Resolves to undefined where there
   * is none; a rejection is the error of the restore. A program that loads packages by name passes this.
   *
   * @default none
   */
  readonly findDecompressor?: (algorithm: string) => Promise<Compressor | undefined>
  /** Where backups are found. @default the store's own `_metadata` objects */
  readonly catalog?: BackupCatalog
  /**
   * How many chunks are compressed and stored, or objects fetched and decompressed, concurrently. Reading and hashing are
   * limited by memory only. @default 2 to 8 (one per core), at least 4 for chunks that are sent while they are read; 8 for
   * objects up to 256 KiB
   */
  readonly concurrency?: number
  /**
   * The maximum size of all chunk buffers, in bytes. Concurrency is reduced until `(concurrency + 2) × chunk size` fits; if
   * not even three chunks fit, objects are made smaller than the chunk size, which every reader accepts. A larger object
   * is read in pieces. Where that is not possible, since the store does not stream or the compressor has no
   * `decompressStream` (zstd on Node.js before 22.15), a restore is rejected with `MEMORY_LIMIT`; with the default limit,
   * such an object may use all memory. The memory of a compressor's implementation does not count; its package documents
   * it (zstd in WebAssembly holds an object and its compressed form once more).
   * @default a quarter of the machine's (or the container's) memory
   */
  readonly maxMemoryBytes?: number
  /** Rejects what Cinder rejects, with Cinder's messages, also where Stowage could continue. @default not strict */
  readonly strict?: 'cinder'
  /** Called with warnings, which do not stop an operation. @default warnings are dropped */
  readonly onWarning?: WarningListener
  /** Called before each wait for a retry, by drivers of stores on a network. @default none */
  readonly onRetry?: RetryListener
  /** The time for names and `created_at`. @default the system's */
  readonly clock?: () => Date
}

/** The values that a driver class sets for its users. */
export interface DriverDefaults {
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  /** Null where the driver makes a container of its own for each backup. */
  readonly container: string | null
  /** The capabilities of the store. @default none beyond the mandatory hooks */
  readonly capabilities?: DriverCapabilities
  /**
   * The driver passes all hooks on to another driver, whose capabilities it has: it may have hooks that are not declared.
   * @default false
   */
  readonly isWrapper?: boolean
  /** Cinder's name for the driver, for exported records: `cinder.backup.drivers.posix.PosixBackupDriver`. */
  readonly serviceName: string
}

import type { DriverCapabilities } from './object-store.js'
import type { BackupCatalog } from './records.js'
import type { Compressor } from './compressor.js'
import type { RetryListener, WarningListener } from './progress.js'

/** Options that every driver takes. */
export interface ChunkedDriverOptions {
  /** The maximum number of bytes of the volume in one object. A multiple of the block size. @default the driver's */
  readonly chunkSizeBytes?: number
  /**
   * The size in bytes at which changes are found: a power of two from 512 to 64 MiB. Another value of Cinder's is
   * accepted from a `cinder.conf` and in strict mode. An incremental takes its parent's, whatever it is.
   * @default the driver's; for an incremental the parent's
   */
  readonly blockSizeBytes?: number
  /**
   * Scattered changes share objects: in a chunk with more than eight runs of changed blocks, the nearest are joined, and
   * the unchanged bytes between them stored again, where they are no more than this, in bytes up to 4 MiB. More saves
   * objects and requests, less saves space; 0 lays incrementals out as Cinder does, an object a run. In strict mode it
   * is 0. @default 1 MiB
   */
  readonly joinGapBytes?: number
  /** The container for backups that name none. @default the driver's */
  readonly container?: string
  /** Compresses what is written. @default chunks are stored uncompressed (`none`) */
  readonly compression?: Compressor
  /** Further compressors for reading, beside the one of `compression`. @default [] */
  readonly decompressors?: readonly Compressor[]
  /** Where backups are found. @default the store's own `_metadata` objects */
  readonly catalog?: BackupCatalog
  /**
   * How many chunks are hashed, compressed and stored, or objects fetched, concurrently. @default the machine's cores, 2 to 8,
   * and 8 of objects of up to 256 KiB
   */
  readonly concurrency?: number
  /**
   * A cap in bytes on chunk buffers. Concurrency falls until `(concurrency + 2) × chunk size` fits; where not even
   * three chunks fit, objects are made smaller than the chunk size, which every reader accepts. An object that exceeds
   * it is read in pieces. Where that is not possible, since the store does not stream or the compressor has no
   * `decompressStream` (zstd on Node.js before 22.15), a restore is rejected with `MEMORY_LIMIT`; the default limit allows
   * such an object all memory. Buffers alone count: the engine of a compressor has memory of its own, which its package
   * documents (zstd in WebAssembly holds an object and its compressed form once more).
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

import type { StepListener } from './progress.js'

/** Options of one call of a {@link Compressor}. */
export interface CodecOptions {
  /**
   * Ends the call with `ABORTED`, or, which counts as the same, with the signal's reason or an `AbortError`, as
   * `signal.throwIfAborted()` does. An engine that cannot stop lets the call run to its end.
   */
  readonly signal?: AbortSignal
  /** Told how many of the raw bytes have been compressed, or decompressed. An engine that cannot tell leaves it out. */
  readonly onProgress?: StepListener
}

/** Options of {@link Compressor.decompress}. */
export interface DecompressOptions extends CodecOptions {
  /** Memory of at least the expected length that the engine may fill and return a view of, instead of fresh memory. */
  readonly buffer?: Uint8Array
}

/** Options of {@link Compressor.compress}. */
export interface CompressOptions extends CodecOptions {
  /** Memory of at least the input's length that the engine may fill and return a view of, instead of fresh memory. */
  readonly buffer?: Uint8Array
  /**
   * The caller has no use for a result that is not shorter than the input. An engine that sees that it will not be may
   * stop, and return the input itself. @default false: the result can always be decompressed
   */
  readonly mustShrink?: boolean
  /**
   * The caller would rather have the result soon than short: most of the input is stored already, and is only stored
   * again to save objects. An engine that was given no level of its own may take a quicker one. @default false
   */
  readonly preferSpeed?: boolean
}

/**
 * A compression algorithm, handed to a driver as a value (`compression: zlib(), decompressors: [bz2()]`).
 *
 * Many calls may run at once. The input is never changed and never kept after the call. No call holds the main thread
 * for long: a synchronous engine runs in a worker.
 */
export interface Compressor {
  /**
   * The word that the store records for what this compressor wrote, in lower case: one of Cinder's `zlib`, `gzip`,
   * `bz2`, `bzip2`, `zstd`, or another with `cinderCompatible: false`. Never `none`, `off` or `no`.
   */
  readonly name: string

  /**
   * Whether Cinder restores what this compressor writes. Must be set to false where `name` is not one of Cinder's words:
   * Cinder fails on a word that it does not know. A backup with such a compressor warns (`COMPRESSION_NOT_CINDER`), and a
   * strict driver refuses it. @default true for Cinder's words
   */
  readonly cinderCompatible?: boolean

  /** The other words this compressor reads: `zlib` reads what is recorded as `gzip`, the same stream. */
  readonly aliases: readonly string[]

  /** Compresses a chunk. The result may be longer than the input, unless the caller says that it must shrink. */
  compress(bytes: Uint8Array, options?: CompressOptions): Promise<Uint8Array>

  /**
   * As {@link compress}, of an input whose parts lie apart: what scattered changes become. Gives null where it need not
   * give more than it was given, for it must shrink and does not. Without it, the parts are first put together.
   */
  compressParts?(parts: readonly Uint8Array[], options?: CompressOptions): Promise<Uint8Array | null>

  /**
   * Restores a chunk of exactly `expectedLengthBytes`.
   *
   * Never produces more than was expected: it stops at the first byte beyond. Rejects with `OBJECT_CORRUPT` on a
   * longer or shorter result, a damaged or truncated stream, and bytes after its end.
   */
  decompress(bytes: Uint8Array, expectedLengthBytes: number, options?: DecompressOptions): Promise<Uint8Array>

  /**
   * As {@link decompress}, in pieces, for objects that do not fit into memory. The input's pieces are only good until
   * the next is asked for, and so are the output's. Without it, such an object is held in memory all the same.
   *
   * Where the input fails, the output fails with that same error, not with a copy of it and not wrapped into
   * `OBJECT_CORRUPT`: a store that does not answer is not a damaged object, which would be read a second time and then
   * reported as damaged. The input's iterator is closed however the output ends.
   */
  decompressStream?(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    options?: CodecOptions,
  ): AsyncIterable<Uint8Array>

  /** Frees what the engine holds (workers). Called by nobody but the one who made the compressor. */
  close?(): Promise<void>
}

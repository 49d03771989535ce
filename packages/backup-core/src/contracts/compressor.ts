import type { ByteProgressListener } from './progress.js'

/** Options of one call of a {@link Compressor}. */
export interface CodecOptions {
  /**
   * Ends the call with `ABORTED`, or, which counts as the same, with the signal's reason or an `AbortError`, as
   * `signal.throwIfAborted()` does. An implementation that cannot stop lets the call run to its end.
   */
  readonly signal?: AbortSignal
  /**
   * Called with how many of the raw bytes have been compressed or decompressed. An implementation that cannot report it
   * does not call it.
   */
  readonly onProgress?: ByteProgressListener
}

/** Options of {@link Compressor.decompress}. */
export interface DecompressOptions extends CodecOptions {
  /** A buffer of at least the expected length that the compressor may fill and return a view of, instead of new memory. */
  readonly buffer?: Uint8Array
}

/** Options of {@link Compressor.compress}. */
export interface CompressOptions extends CodecOptions {
  /** A buffer of at least the input's length that the compressor may fill and return a view of, instead of new memory. */
  readonly buffer?: Uint8Array
  /**
   * Speed matters more than the result's length: most of the input is stored already, and is only stored again to save
   * objects. A compressor whose level the user did not choose may use a faster one. @default false
   */
  readonly preferSpeed?: boolean
}

/**
 * A compression algorithm, passed to a driver as a value (`compression: zlib(), decompressors: [bz2()]`).
 *
 * Many calls may run concurrently. The input is never changed and never kept after the call. No call blocks the event
 * loop for long: a synchronous implementation runs in a worker. Workers must not keep a program from exiting.
 */
export interface Compressor {
  /**
   * The algorithm's name that the store records for what this compressor wrote: one of Cinder's `zlib`, `gzip`, `bz2`,
   * `bzip2`, `zstd`, or another with `cinderCompatible: false`.
   *
   * Lower-case letters, digits, and `_`, `.`, `-` after the first character; at most 64 characters; not `none`, `off` or
   * `no`. Drivers reject any other with `OPTION_INVALID`, and so does the conformance suite of
   * `@stowage/backup-testkit`.
   */
  readonly name: string

  /**
   * Whether Cinder restores what this compressor writes. Must be false where `name` is not one of Cinder's: Cinder fails
   * on an algorithm that it does not know. A backup with such a compressor warns (`COMPRESSION_NOT_CINDER`), and a strict
   * driver rejects it. @default true for Cinder's names
   */
  readonly cinderCompatible?: boolean

  /** Other algorithm names that this compressor reads: `zlib` also reads `gzip`, which is the same stream. */
  readonly aliases: readonly string[]

  /**
   * Compresses the bytes of a data object. Resolves to null where the result would not be shorter than the input, as soon as that is known:
   * the chunk is then stored raw. There is no other way to report it.
   */
  compress(bytes: Uint8Array, options?: CompressOptions): Promise<Uint8Array | null>

  /**
   * Compresses an input in several parts, as {@link compress} does: scattered changes are in several buffers. Without this
   * method, the parts are copied into one buffer first.
   */
  compressParts?(parts: readonly Uint8Array[], options?: CompressOptions): Promise<Uint8Array | null>

  /**
   * Decompresses a data object of exactly `expectedLengthBytes`.
   *
   * Stops at the first byte beyond the expected length. Rejects with `OBJECT_CORRUPT` for a longer or shorter result, a
   * damaged or truncated stream, and bytes after its end.
   */
  decompress(bytes: Uint8Array, expectedLengthBytes: number, options?: DecompressOptions): Promise<Uint8Array>

  /**
   * Decompresses as {@link decompress} does, piece by piece, for objects that do not fit into memory. Each piece of the input
   * and of the output is valid until the next one is requested. Without this method, every object has to fit into memory.
   *
   * Where the input fails, the output fails with that same error: not a copy, and not wrapped into `OBJECT_CORRUPT`. A
   * store that does not respond would otherwise be reported as a damaged object. The input's iterator is closed however
   * the output ends.
   */
  decompressStream?(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    options?: CodecOptions,
  ): AsyncIterable<Uint8Array>
}

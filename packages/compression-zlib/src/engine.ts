import type { CodecOptions, CompressOptions } from '@stowage/backup-core'

/** One implementation of the zlib format. Arguments are checked before they come here. */
export interface ZlibEngine {
  /** Compresses an input whose parts may lie apart. Null where it must shrink and does not. */
  compress(parts: readonly Uint8Array[], level: number, options: CompressOptions): Promise<Uint8Array | null>

  /**
   * Fills `target`, which has exactly the expected length, and stops with an error at the first byte that does not
   * fit. Anything but a whole, sound stream of that length with nothing behind it is `OBJECT_CORRUPT`.
   */
  decompressInto(target: Uint8Array, bytes: Uint8Array, options: CodecOptions): Promise<void>

  /** The same, in pieces both ways, for what does not fit into memory. */
  decompressStream(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array>
}

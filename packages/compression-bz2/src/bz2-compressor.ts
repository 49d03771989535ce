import { throwIfAborted } from '@stowage/backup-core'
import type { Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { closeIdlePool, requireExpectedLength, targetOf } from '@stowage/compression-workers'
import { mostExpandedBytes } from './block-limits.js'
import { compressPieces } from './compress-pieces.js'
import { tooShort } from './corrupt.js'
import { openStreams } from './open-streams.js'
import { resolveOptions } from './options.js'
import type { Bz2Options, ResolvedBz2Options } from './options.js'
import { dropMemory } from './piece-memory.js'

/**
 * The compressor for what Cinder records as `bz2` and `bzip2`: bzip2 streams, as Python's `bz2` and the program
 * `bzip2` read and write them.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: bz2() })
 * ```
 */
export function bz2(options: Bz2Options = {}): Compressor {
  return new Bz2Compressor(resolveOptions(options))
}

class Bz2Compressor implements Compressor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly #level: number

  constructor({ word, level }: ResolvedBz2Options) {
    this.name = word
    this.aliases = Object.freeze([word === 'bz2' ? 'bzip2' : 'bz2'])
    this.#level = level
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal, 'Compressing')
    return compressPieces(bytes, this.#level, options)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    { signal, buffer }: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
    const possibleLengthBytes = mostExpandedBytes(bytes.length)
    if (possibleLengthBytes < expectedLengthBytes) {
      // Said before the memory is taken: an absurd length from a store must not cost any.
      throw tooShort(possibleLengthBytes, expectedLengthBytes)
    }
    const target = targetOf(expectedLengthBytes, buffer)
    await openStreams(target, bytes, signal)
    return target
  }

  /** Ends the workers where nobody in this process uses them; a later call starts them again. */
  async close(): Promise<void> {
    dropMemory()
    await closeIdlePool()
  }
}

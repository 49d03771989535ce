import { throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { requireExpectedLength, targetOf } from '@stowage/compression-workers'
import { tooShort } from './corrupt.js'
import type { ZlibEngine } from './engine.js'
import { loadEngine } from './load-engine.js'
import { resolveOptions } from './options.js'
import type { ResolvedZlibOptions, ZlibOptions } from './options.js'

/** A deflate stream grows by at most 1032 times when it is opened: 258 bytes of a match for 2 bits. */
const deflateExpansionLimit = 1_032

/**
 * The compressor for what Cinder records as `zlib` and `gzip`: a zlib stream (RFC 1950).
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: zlib({ level: 9 }) })
 * ```
 */
export function zlib(options: ZlibOptions = {}): Compressor {
  return new ZlibCompressor(resolveOptions(options))
}

class ZlibCompressor implements Compressor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly #level: number
  readonly #quickLevel: number
  readonly #loadEngine: () => Promise<ZlibEngine>

  constructor({ word, level, quickLevel, engine }: ResolvedZlibOptions) {
    this.name = word
    this.aliases = Object.freeze([word === 'zlib' ? 'gzip' : 'zlib'])
    this.#level = level
    this.#quickLevel = quickLevel
    let loading: Promise<ZlibEngine> | undefined
    this.#loadEngine = () => (loading ??= loadEngine(engine))
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
    return (await this.compressParts([bytes], options)) ?? bytes
  }

  async compressParts(
    parts: readonly Uint8Array[],
    options: CompressOptions = {},
  ): Promise<Uint8Array | null> {
    throwIfAborted(options.signal, 'Compressing')
    const engine = await this.#loadEngine()
    return engine.compress(parts, options.preferSpeed === true ? this.#quickLevel : this.#level, options)
  }

  async *decompressStream(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    { signal }: CodecOptions = {},
  ): AsyncGenerator<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
    const engine = await this.#loadEngine()
    yield* engine.decompressStream(pieces, expectedLengthBytes, signal)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    { buffer, ...options }: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(options.signal, 'Decompressing')
    const possibleLengthBytes = bytes.length * deflateExpansionLimit
    if (possibleLengthBytes < expectedLengthBytes) {
      // Said before the memory is taken: an absurd length from a store must not cost any.
      throw tooShort(possibleLengthBytes, expectedLengthBytes)
    }
    const engine = await this.#loadEngine()
    const target = targetOf(expectedLengthBytes, buffer)
    await engine.decompressInto(target, bytes, options)
    return target
  }
}

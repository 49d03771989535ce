import type NodeZlib from 'node:zlib'
import { BackupError, checkOptions, optionRules, throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { collect, onePiece, outputFor, requireExpectedLength } from '@stowage/compression-shared'
import { errors } from './format.js'

/** Options of {@link zlib}. */
export interface ZlibOptions {
  /**
   * The algorithm's name that the store records for new chunks. Both names stand for the same zlib stream, as in Cinder,
   * where `gzip` never means a gzip file.
   * @default 'zlib'
   */
  readonly algorithm?: 'zlib' | 'gzip'
  /**
   * From 1 (fastest) to 9 (smallest result).
   * @default 6, Cinder's; 1 for what an incremental stores again only so that scattered changes share an object
   */
  readonly level?: number
  /**
   * Which implementation of zlib runs: Node's own, or pako, which is plain JavaScript.
   * @default 'auto': Node's where there is one, and pako elsewhere
   */
  readonly engine?: 'auto' | 'node' | 'pako'
}

/** One implementation of the zlib format. Its arguments have been checked. */
export interface ZlibEngine {
  /** Compresses an input in parts. Null where the result would not be shorter. */
  compress(parts: readonly Uint8Array[], level: number, options: CompressOptions): Promise<Uint8Array | null>

  /** Decompresses one stream that fills `target` exactly; anything else is `OBJECT_CORRUPT`. @default decompressStream */
  decompressInto?(target: Uint8Array, bytes: Uint8Array, options: CodecOptions): Promise<void>

  /** Decompresses one whole stream of exactly the expected length; anything else is `OBJECT_CORRUPT`. */
  decompressStream(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array>
}

const defaultLevel = 6
const fastLevel = 1

/** A deflate stream grows by at most 1032 times when it is decompressed: 258 bytes of a match for 2 bits. */
const maxExpansion = 1_032

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
  checkOptions('the options of zlib()', options, {
    algorithm: optionRules.oneOf('zlib', 'gzip'),
    level: optionRules.wholeNumber(1, 9),
    engine: optionRules.oneOf('auto', 'node', 'pako'),
  })
  return new ZlibCompressor(options)
}

class ZlibCompressor implements Compressor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly #level: number
  readonly #fastLevel: number
  readonly #loadEngine: () => Promise<ZlibEngine>

  constructor({ algorithm = 'zlib', level, engine = 'auto' }: ZlibOptions) {
    this.name = algorithm
    this.aliases = Object.freeze([algorithm === 'zlib' ? 'gzip' : 'zlib'])
    this.#level = level ?? defaultLevel
    this.#fastLevel = level ?? fastLevel
    let loading: Promise<ZlibEngine> | undefined
    this.#loadEngine = () => (loading ??= loadEngine(engine))
  }

  compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array | null> {
    return this.compressParts([bytes], options)
  }

  async compressParts(
    parts: readonly Uint8Array[],
    options: CompressOptions = {},
  ): Promise<Uint8Array | null> {
    throwIfAborted(options.signal, 'Compressing')
    const engine = await this.#loadEngine()
    return engine.compress(parts, options.preferSpeed === true ? this.#fastLevel : this.#level, options)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    options: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    // Checked before memory is allocated: an absurd length from a store must not cost any.
    const maxBytes = bytes.length * maxExpansion
    if (maxBytes < expectedLengthBytes) throw errors.tooShort(maxBytes, expectedLengthBytes)
    throwIfAborted(options.signal, 'Decompressing')
    const engine = await this.#loadEngine()
    if (engine.decompressInto) {
      const target = outputFor(expectedLengthBytes, options.buffer)
      await engine.decompressInto(target, bytes, options)
      return target
    }
    const stream = engine.decompressStream(onePiece(bytes), expectedLengthBytes, options.signal)
    return collect(stream, expectedLengthBytes, options)
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
}

/** Loads an engine; one that is not used is never loaded. */
async function loadEngine(name: 'auto' | 'node' | 'pako'): Promise<ZlibEngine> {
  const nodeZlib = name === 'pako' ? undefined : findNodeZlib()
  if (nodeZlib !== undefined) {
    const { nodeEngine } = await import('./node-engine.js')
    return nodeEngine(nodeZlib)
  }
  if (name === 'node') {
    throw new BackupError('OPTION_INVALID', 'This runtime has no node:zlib. Use the engine auto or pako.')
  }
  const { pakoEngine } = await import('./pako-engine.js')
  return pakoEngine
}

/** Looked up at run time, and not imported, so that a bundle for a runtime without `node:zlib` still loads. */
function findNodeZlib(): typeof NodeZlib | undefined {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  return process?.getBuiltinModule?.('node:zlib')
}

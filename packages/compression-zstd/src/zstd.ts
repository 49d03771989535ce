import { BackupError, checkOptions, optionRules, throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { isNoise, outputMemory, requireExpectedLength } from '@stowage/compression-shared'
import { splitFrames } from './frames.js'
import { findNodeZstd } from './node-zstd.js'
import type { NodeZstd } from './node-zstd.js'

/** Options of {@link zstd}. */
export interface ZstdOptions {
  /**
   * From 1 (fastest) to 22 (smallest result). Above 12, a chunk takes many seconds.
   * @default 3, Cinder's; 1 for what an incremental stores again only so that scattered changes share an object
   */
  readonly level?: number
  /**
   * Which implementation of zstd runs: Node's own (Node.js 22.15 or later), or WebAssembly.
   * @default 'auto': Node's where there is one, and WebAssembly elsewhere
   */
  readonly engine?: 'auto' | 'node' | 'wasm'
}

/** One implementation of the zstd format. Its arguments have been checked. */
export interface ZstdEngine {
  /** Compresses into one frame that declares its content size, which Cinder's reader needs. Null where it does not fit. */
  compress(
    bytes: Uint8Array,
    output: Uint8Array,
    level: number,
    options: CodecOptions,
  ): Promise<Uint8Array | null>

  /**
   * Decompresses a sequence of whole frames into exactly the expected length; anything else is `OBJECT_CORRUPT`.
   *
   * @param parts - the parts of `bytes` without skippable frames, none of which spans two frames
   */
  decompress(
    bytes: Uint8Array,
    parts: readonly Uint8Array[],
    expectedLengthBytes: number,
    options: DecompressOptions,
  ): Promise<Uint8Array>
}

const defaultLevel = 3
const fastLevel = 1

/**
 * The compressor for what Cinder records as `zstd`: Zstandard frames (RFC 8878) that declare their content size.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: zstd() })
 * ```
 */
export function zstd(options: ZstdOptions = {}): Compressor {
  checkOptions('the options of zstd()', options, {
    level: optionRules.wholeNumber(1, 22),
    engine: optionRules.oneOf('auto', 'node', 'wasm'),
  })
  return new ZstdCompressor(options)
}

class ZstdCompressor implements Compressor {
  readonly name = 'zstd'
  readonly aliases: readonly string[] = Object.freeze([])
  /** Only with Node's engine: the libzstd in WebAssembly exports no call that decompresses a part of a frame. */
  readonly decompressStream?: NonNullable<Compressor['decompressStream']>
  readonly #level: number
  readonly #fastLevel: number
  readonly #loadEngine: () => Promise<ZstdEngine>

  constructor({ level, engine = 'auto' }: ZstdOptions) {
    this.#level = level ?? defaultLevel
    this.#fastLevel = level ?? fastLevel
    const nodeZstd = engine === 'wasm' ? undefined : findNodeZstd()
    let loading: Promise<ZstdEngine> | undefined
    this.#loadEngine = () => (loading ??= loadEngine(engine, nodeZstd))
    if (nodeZstd !== undefined) {
      this.decompressStream = async function* (pieces, expectedLengthBytes, { signal } = {}) {
        requireExpectedLength(expectedLengthBytes)
        throwIfAborted(signal, 'Decompressing')
        const { decompressStream } = await import('./node-engine.js')
        yield* decompressStream(nodeZstd, pieces, expectedLengthBytes, signal)
      }
    }
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array | null> {
    throwIfAborted(options.signal, 'Compressing')
    if (bytes.length === 0 || (await isNoise(bytes))) return null
    const engine = await this.#loadEngine()
    const level = options.preferSpeed === true ? this.#fastLevel : this.#level
    return engine.compress(bytes, outputMemory(bytes.length, options.buffer), level, options)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    options: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(options.signal, 'Decompressing')
    const parts = await splitFrames(bytes, expectedLengthBytes)
    const engine = await this.#loadEngine()
    return engine.decompress(bytes, parts, expectedLengthBytes, options)
  }
}

/** Loads an engine; one that is not used is never loaded. */
async function loadEngine(
  name: 'auto' | 'node' | 'wasm',
  nodeZstd: NodeZstd | undefined,
): Promise<ZstdEngine> {
  if (nodeZstd !== undefined) {
    const { nodeEngine } = await import('./node-engine.js')
    return nodeEngine(nodeZstd)
  }
  if (name === 'node') {
    throw new BackupError(
      'OPTION_INVALID',
      `Node.js ${process.version} has no zstd of its own, which requires 22.15 or later. Use the engine auto or wasm.`,
    )
  }
  const { wasmEngine } = await import('./wasm-engine.js')
  return wasmEngine
}

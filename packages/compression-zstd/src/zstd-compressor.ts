import { throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { closeIdlePool, isAllNoise, isAllZeros, requireExpectedLength } from '@stowage/compression-workers'
import { checkFrames } from './check-frames.js'
import type { ZstdEngine } from './engine.js'
import { loadEngine } from './load-engine.js'
import { mostCompressedBytes } from './most-compressed-bytes.js'
import { findNodeZstd } from './node/node-zstd.js'
import type { NodeZstd } from './node/node-zstd.js'
import { resolveOptions } from './options.js'
import type { ResolvedZstdOptions, ZstdOptions } from './options.js'
import { RememberedZeros } from './remembered-zeros.js'
import { walkFrames } from './walk-frames.js'

/**
 * The compressor for what Cinder records as `zstd`: Zstandard frames (RFC 8878) that say how much they hold.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 *
 * @example
 * ```ts
 * const driver = await getBackupDriver({ compression: zstd() })
 * ```
 */
export function zstd(options: ZstdOptions = {}): Compressor {
  return new ZstdCompressor(resolveOptions(options))
}

class ZstdCompressor implements Compressor {
  readonly name = 'zstd'
  readonly aliases: readonly string[] = Object.freeze([])
  /** Node's engine alone has it: the libzstd in WebAssembly exports no call that opens a part of a frame. */
  readonly decompressStream?: NonNullable<Compressor['decompressStream']>
  readonly #level: number
  readonly #quickLevel: number
  readonly #zeros = new RememberedZeros()
  readonly #loadEngine: () => Promise<ZstdEngine>

  constructor({ level, quickLevel, engine }: ResolvedZstdOptions) {
    this.#level = level
    this.#quickLevel = quickLevel
    let loading: Promise<ZstdEngine> | undefined
    this.#loadEngine = () => (loading ??= loadEngine(engine))
    const nodeZstd = engine === 'wasm' ? undefined : findNodeZstd()
    if (nodeZstd !== undefined) {
      this.decompressStream = (pieces, expectedLengthBytes, options) =>
        openStream(nodeZstd, pieces, expectedLengthBytes, options)
    }
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
    const { signal, buffer, mustShrink = false, preferSpeed = false, onProgress } = options
    throwIfAborted(signal, 'Compressing')
    const zeros = await isAllZeros(bytes)
    const remembered = zeros ? this.#zeros.frame(bytes.length) : undefined
    if (remembered !== undefined) return mustShrink && remembered.length >= bytes.length ? bytes : remembered
    if (mustShrink && (await isAllNoise(bytes))) return bytes
    const engine = await this.#loadEngine()
    const mostBytes = mustShrink ? bytes.length : mostCompressedBytes(bytes.length)
    const lent = buffer !== undefined && buffer.length >= mostBytes ? buffer : undefined
    const level = preferSpeed ? this.#quickLevel : this.#level
    const frame = await engine.compress(bytes, { level, mostBytes, buffer: lent, signal, onProgress })
    if (frame === undefined) return bytes
    if (zeros) this.#zeros.remember(bytes.length, frame)
    return frame
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    { signal, buffer, onProgress }: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
    const frames = await walkFrames(bytes)
    checkFrames(frames, expectedLengthBytes)
    const engine = await this.#loadEngine()
    const lent = buffer !== undefined && buffer.length >= expectedLengthBytes ? buffer : undefined
    return engine.decompress(bytes, { frames, expectedLengthBytes, buffer: lent, signal, onProgress })
  }

  /** Ends the workers where nobody in this process uses them; a later call starts them again. */
  async close(): Promise<void> {
    await closeIdlePool()
  }
}

async function* openStream(
  nodeZstd: NodeZstd,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  { signal }: CodecOptions = {},
): AsyncGenerator<Uint8Array> {
  requireExpectedLength(expectedLengthBytes)
  throwIfAborted(signal, 'Decompressing')
  const { decompressStream } = await import('./node/decompress-stream.js')
  yield* decompressStream(nodeZstd, pieces, expectedLengthBytes, signal)
}

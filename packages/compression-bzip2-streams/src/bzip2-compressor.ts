import { throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import {
  closeIdlePool,
  coreCount,
  requireExpectedLength,
  targetOf,
  Turns,
} from '@stowage/compression-workers'
import { mostExpandedBytes } from './block-limits.js'
import { compressPieces } from './compress-pieces.js'
import { CompressedInput } from './compressed-input.js'
import { tooShort } from './corrupt.js'
import { decompressStream } from './decompress-stream.js'
import type { Bzip2Engine } from './engine.js'
import { openStreams } from './open-streams.js'
import { resolveOptions } from './options.js'
import type { Bzip2Options, ResolvedBzip2Options } from './options.js'
import { dropMemory } from './piece-memory.js'

/** How many blocks are under way: one for each core, and more that wait for the one before them to be copied. */
const blocksAhead = coreCount + 2

/** Of an object that memory does not hold, no more blocks than these are held, at some 5 MB each. */
const mostStreamBlocks = 4

/** How much is copied between two looks at the clock: fresh memory takes about half a millisecond for this. */
const stepBytes = 128 * 1024

/**
 * A compressor for what Cinder records as `bz2` and `bzip2`: bzip2 streams, as Python's `bz2` and the program
 * `bzip2` read and write them.
 *
 * @param engine What does the work. One object for all calls: what zeros become is remembered by it.
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 */
export function bzip2Compressor(engine: Bzip2Engine, options: Bzip2Options = {}): Compressor {
  return new Bzip2Compressor(engine, resolveOptions(options))
}

class Bzip2Compressor implements Compressor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly #engine: Bzip2Engine
  readonly #level: number

  constructor(engine: Bzip2Engine, { word, level }: ResolvedBzip2Options) {
    this.#engine = engine
    this.name = word
    this.aliases = Object.freeze([word === 'bz2' ? 'bzip2' : 'bz2'])
    this.#level = level
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal, 'Compressing')
    return compressPieces(this.#engine, bytes, this.#level, options)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    { signal, buffer, onProgress }: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
    const possibleLengthBytes = mostExpandedBytes(bytes.length)
    if (possibleLengthBytes < expectedLengthBytes) {
      // Said before the memory is taken: an absurd length from a store must not cost any.
      throw tooShort(possibleLengthBytes, expectedLengthBytes)
    }
    const target = targetOf(expectedLengthBytes, buffer)
    const job = { engine: this.#engine, expectedLengthBytes, blocksAhead, signal }
    const turns = new Turns()
    let offset = 0
    for await (const block of openStreams(CompressedInput.whole(bytes), job)) {
      for (let filled = -1; filled !== 0; offset += filled) {
        filled = block.read(target.subarray(offset, offset + stepBytes))
        await turns.give()
      }
      onProgress?.(offset, expectedLengthBytes)
    }
    return target
  }

  async *decompressStream(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    { signal }: CodecOptions = {},
  ): AsyncGenerator<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
    const job = {
      engine: this.#engine,
      expectedLengthBytes,
      blocksAhead: Math.min(blocksAhead, mostStreamBlocks),
      signal,
    }
    yield* decompressStream(pieces, job)
  }

  /** Ends the workers where nobody in this process uses them; a later call starts them again. */
  async close(): Promise<void> {
    dropMemory()
    await closeIdlePool()
  }
}

import { checkOptions, optionRules, throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, Compressor, CompressOptions, DecompressOptions } from '@stowage/backup-core'
import { collect, requireExpectedLength } from '../decompress.js'
import { coreCount } from '../workers.js'
import { compressPieces } from './compress.js'
import { CompressedInput } from './compressed-input.js'
import { decompressInput, decompressStream } from './decompress.js'
import type { Bzip2Engine } from './engine.js'
import { errors, maxExpandedBytes } from './format.js'

/** Options of a bzip2 compressor, which each public package documents for itself. */
interface Bzip2Options {
  readonly algorithm?: 'bz2' | 'bzip2'
  readonly level?: number
}

/** How many blocks are decompressed ahead: one for each core, and two that wait to be copied. */
const blocksAhead = coreCount + 2

/** The same of an object that does not fit into memory: each block takes some 5 MB. */
const maxStreamBlocks = 4

/**
 * A compressor for what Cinder records as `bz2` and `bzip2`: bzip2 streams, as Python's `bz2` and the program
 * `bzip2` read and write them.
 *
 * @throws BackupError `OPTION_INVALID` for an option that is not allowed.
 */
export function bzip2Compressor(engine: Bzip2Engine, options: Bzip2Options): Compressor {
  checkOptions('the options of the bzip2 compressor', options, {
    algorithm: optionRules.oneOf('bz2', 'bzip2'),
    level: optionRules.wholeNumber(1, 9),
  })
  const { algorithm = 'bz2', level = 9 } = options
  return new Bzip2Compressor(engine, algorithm, level)
}

class Bzip2Compressor implements Compressor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly #engine: Bzip2Engine
  readonly #level: number

  constructor(engine: Bzip2Engine, algorithm: 'bz2' | 'bzip2', level: number) {
    this.#engine = engine
    this.name = algorithm
    this.aliases = Object.freeze([algorithm === 'bz2' ? 'bzip2' : 'bz2'])
    this.#level = level
  }

  async compress(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array | null> {
    throwIfAborted(options.signal, 'Compressing')
    return compressPieces(this.#engine, bytes, this.#level, options)
  }

  async decompress(
    bytes: Uint8Array,
    expectedLengthBytes: number,
    options: DecompressOptions = {},
  ): Promise<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    throwIfAborted(options.signal, 'Decompressing')
    // Checked before memory is allocated: an absurd length from a store must not cost any.
    const maxBytes = maxExpandedBytes(bytes.length)
    if (maxBytes < expectedLengthBytes) throw errors.tooShort(maxBytes, expectedLengthBytes)
    const { signal } = options
    const job = { engine: this.#engine, expectedLengthBytes, blocksAhead, signal }
    return collect(decompressInput(new CompressedInput(bytes), job), expectedLengthBytes, options)
  }

  async *decompressStream(
    pieces: AsyncIterable<Uint8Array>,
    expectedLengthBytes: number,
    { signal }: CodecOptions = {},
  ): AsyncGenerator<Uint8Array> {
    requireExpectedLength(expectedLengthBytes)
    yield* decompressStream(pieces, {
      engine: this.#engine,
      expectedLengthBytes,
      blocksAhead: Math.min(blocksAhead, maxStreamBlocks),
      signal,
    })
  }
}

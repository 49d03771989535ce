import { BackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import { loadCompressor } from './load-compressor.js'
import { compressionWords } from './words.js'
import type { Bz2Engine, CompressionWord } from './words.js'

/** A reader of one word, whose package is imported when the first object of that word is met. */
export function lazyCompressor(spec: CompressionWord, bz2Engine?: Bz2Engine): Compressor {
  let loading: Promise<Compressor> | undefined
  const loaded = (): Promise<Compressor> => (loading ??= loadCompressor(spec, bz2Engine))
  const decompressStream: NonNullable<Compressor['decompressStream']> = async function* (pieces, ...rest) {
    const compressor = await loaded()
    if (!compressor.decompressStream) {
      throw new BackupError(
        'COMPRESSION_UNKNOWN',
        `The installed package for "${spec.word}" is not of this version. Run: npm install ${spec.packages[0].packageName}@latest`,
      )
    }
    yield* compressor.decompressStream(pieces, ...rest)
  }
  return {
    name: spec.word,
    aliases: [],
    compress: async (bytes, options) => (await loaded()).compress(bytes, options),
    decompress: async (bytes, expectedLengthBytes, options) =>
      (await loaded()).decompress(bytes, expectedLengthBytes, options),
    ...(spec.streams ? { decompressStream } : {}),
  }
}

/** Readers for every word there is, apart from those of `compression`. */
export function readersBeside(compression: Compressor | undefined, bz2Engine?: Bz2Engine): Compressor[] {
  const served = new Set(compression ? [compression.name, ...compression.aliases] : [])
  return compressionWords
    .filter(({ word }) => !served.has(word))
    .map((spec) => lazyCompressor(spec, bz2Engine))
}

/**
 * The compressor of a word from `--compression`; undefined for the words that mean none. Loaded at once, so that a
 * missing package ends the backup before anything is written.
 */
export async function compressorOf(word: string, bz2Engine?: Bz2Engine): Promise<Compressor | undefined> {
  const spec = compressionWords.find((one) => one.word === word)
  if (!spec) return undefined
  try {
    return await loadCompressor(spec, bz2Engine)
  } catch (error) {
    if (error instanceof BackupError) throw error
    throw new BackupError('COMPRESSION_FAILED', `The compression "${word}" could not be set up.`, {
      cause: error,
    })
  }
}

import { BackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import { loadCompressor } from './load-compressor.js'
import { compressionAlgorithms } from './algorithms.js'
import type { Bz2Engine, CompressionAlgorithm } from './algorithms.js'

/** A decompressor of one algorithm. Its package is imported when it is first used. */
export function lazyCompressor(spec: CompressionAlgorithm, bz2Engine?: Bz2Engine): Compressor {
  let loading: Promise<Compressor> | undefined
  const loaded = (): Promise<Compressor> => (loading ??= loadCompressor(spec, bz2Engine))
  const decompressStream: NonNullable<Compressor['decompressStream']> = async function* (pieces, ...rest) {
    const compressor = await loaded()
    if (!compressor.decompressStream) {
      throw new BackupError(
        'COMPRESSION_UNKNOWN',
        `The installed package for "${spec.algorithm}" has another version. Run: npm install ${spec.packages[0].packageName}@latest`,
      )
    }
    yield* compressor.decompressStream(pieces, ...rest)
  }
  return {
    name: spec.algorithm,
    aliases: [],
    compress: async (bytes, options) => (await loaded()).compress(bytes, options),
    decompress: async (bytes, expectedLengthBytes, options) =>
      (await loaded()).decompress(bytes, expectedLengthBytes, options),
    ...(spec.streams ? { decompressStream } : {}),
  }
}

/** Decompressors for all algorithms except those of `compression`. */
export function readersBeside(compression: Compressor | undefined, bz2Engine?: Bz2Engine): Compressor[] {
  const served = new Set(compression ? [compression.name, ...compression.aliases] : [])
  return compressionAlgorithms
    .filter(({ algorithm }) => !served.has(algorithm))
    .map((spec) => lazyCompressor(spec, bz2Engine))
}

/**
 * The compressor for a value of `--compression`; undefined for no compression. Loaded immediately, so that a missing
 * package ends the backup before anything is written.
 */
export async function compressorOf(
  algorithm: string,
  bz2Engine?: Bz2Engine,
): Promise<Compressor | undefined> {
  const spec = compressionAlgorithms.find((one) => one.algorithm === algorithm)
  if (!spec) return undefined
  try {
    return await loadCompressor(spec, bz2Engine)
  } catch (error) {
    if (error instanceof BackupError) throw error
    throw new BackupError('COMPRESSION_FAILED', `The compression "${algorithm}" could not be set up.`, {
      cause: error,
    })
  }
}

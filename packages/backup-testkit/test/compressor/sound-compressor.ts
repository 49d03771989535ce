import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createInflate, deflate, inflate } from 'node:zlib'
import { BackupError, isBackupError, throwIfAborted } from '@stowage/backup-core'
import type { Compressor, CompressOptions } from '@stowage/backup-core'

export const corrupt = (message: string): BackupError => new BackupError('OBJECT_CORRUPT', message)

/** A compressor that opens streams, and takes parts. */
type SoundCompressor = Compressor & Required<Pick<Compressor, 'compressParts' | 'decompressStream'>>

/** What a stream held, as far as it was opened, and how much of the input it took. */
export interface Opened {
  readonly bytes: Uint8Array
  readonly takenBytes: number
}

/** Opens a stream to `maxBytes` at most. */
export async function open(bytes: Uint8Array, maxBytes: number): Promise<Opened> {
  const options = { maxOutputLength: Math.max(1, maxBytes), info: true }
  try {
    const result: unknown = await promisify(inflate)(bytes, options)
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
    return { bytes: buffer, takenBytes: engine.bytesWritten }
  } catch (cause) {
    throw new BackupError('OBJECT_CORRUPT', 'damaged', { cause })
  }
}

/** The simplest that passes. The broken ones differ from it in one thing each. */
export const sound: SoundCompressor = {
  name: 'zlib',
  aliases: ['gzip'],

  compress: async (bytes, { signal } = {}) => {
    throwIfAborted(signal)
    const compressed = await promisify(deflate)(bytes, { level: 1 })
    return compressed.length < bytes.length ? compressed : null
  },

  compressParts: (parts, options) => sound.compress(Buffer.concat(parts), options),

  decompress: async (bytes, expected, { signal } = {}) => {
    throwIfAborted(signal)
    const opened = await open(bytes, expected)
    if (opened.takenBytes < bytes.length) throw corrupt('trailing bytes')
    if (opened.bytes.length !== expected) throw corrupt('wrong length')
    return opened.bytes
  },

  async *decompressStream(pieces, expected, { signal } = {}) {
    throwIfAborted(signal)
    const stream = createInflate()
    let fedBytes = 0
    let givenBytes = 0
    const copies = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        fedBytes += piece.length
        if (piece.length > 0) yield Uint8Array.from(piece)
      }
    }
    const feeding = pipeline(copies, stream).catch(() => undefined)
    try {
      for await (const piece of stream as AsyncIterable<Uint8Array>) {
        throwIfAborted(signal)
        givenBytes += piece.length
        if (givenBytes > expected) throw corrupt('too long')
        yield piece
      }
      throwIfAborted(signal)
    } catch (error) {
      const isOfTheEngine = String((error as NodeJS.ErrnoException).code).startsWith('Z_')
      throw isOfTheEngine && !isBackupError(error) ? corrupt('damaged') : error
    } finally {
      stream.destroy()
      await feeding
    }
    if (fedBytes === 0) throw corrupt('nothing')
    if (stream.bytesWritten < fedBytes) throw corrupt('trailing bytes')
    if (givenBytes < expected) throw corrupt('too short')
  },
}

/** The same, without what a compressor need not have. */
export const withoutStreams: Compressor = {
  name: sound.name,
  aliases: sound.aliases,
  compress: (...call) => sound.compress(...call),
  decompress: (...call) => sound.decompress(...call),
}

/** The same, but an abort is reported in the web's own way: by the reason of the signal. */
export const withWebAborts: SoundCompressor = {
  ...sound,
  compress: async (bytes, { signal } = {}) => {
    signal?.throwIfAborted()
    return sound.compress(bytes)
  },
  compressParts: async (parts, { signal } = {}) => {
    signal?.throwIfAborted()
    return sound.compressParts(parts)
  },
  decompress: async (bytes, expected, { signal } = {}) => {
    signal?.throwIfAborted()
    return sound.decompress(bytes, expected)
  },
  async *decompressStream(pieces, expected, { signal } = {}) {
    signal?.throwIfAborted()
    for await (const piece of sound.decompressStream(pieces, expected)) {
      yield piece
      signal?.throwIfAborted()
    }
  },
}

/** The sound one's result, changed where it is not null. */
export const changedResult =
  (change: (compressed: Uint8Array, input: Uint8Array, options: CompressOptions) => Uint8Array) =>
  async (bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array | null> => {
    const compressed = await sound.compress(bytes, options)
    return compressed && change(compressed, bytes, options)
  }

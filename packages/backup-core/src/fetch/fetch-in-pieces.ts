import { createHash } from 'node:crypto'
import type { ChainLayer } from '../chain/chain-layer.js'
import { throwIfAborted } from '../errors/abort.js'
import { isBackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import { readStream } from '../store/read-object.js'
import {
  corrupt,
  maxStoredBytes,
  undecodable,
  wrongLength,
  wrongMd5,
  type ObjectSource,
} from './object-source.js'

/**
 * Reads an object that memory does not hold, such as Cinder's POSIX driver writes by default (1.86 GiB), and hands each
 * piece of its raw bytes to `use`, with its place in the object. Checks the length and, at the end, the MD5: so
 * whoever must not act on unchecked bytes reads it twice, the first time for the check alone.
 *
 * @returns how long the object was as stored
 */
export async function fetchInPieces(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  signal: AbortSignal,
  use: (piece: Uint8Array, atBytes: number) => Promise<void>,
): Promise<number> {
  const compressor = source.compressors.forWord(object.compression)
  const { extraMetadata } = layer.metadata
  const md5 = createHash('md5')
  let storedBytes = 0
  let rawBytes = 0

  let inputError: { readonly error: unknown } | undefined

  const counted = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of pieces) {
        throwIfAborted(signal)
        storedBytes += piece.length
        if (storedBytes > maxStoredBytes(object))
          throw corrupt(layer, object, 'it is longer than its metadata says')
        yield piece
      }
    } catch (error) {
      inputError = { error }
      throw error
    }
  }
  const opened = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const stored = counted(pieces)
    if (!compressor?.decompressStream) {
      yield* stored
      return
    }
    try {
      yield* compressor.decompressStream(stored, object.lengthBytes, { signal })
    } catch (error) {
      // What failed is the reading, whatever the compressor made of it.
      if (inputError) throw inputError.error
      if (isBackupError(error) && error.code !== 'OBJECT_CORRUPT') throw error
      throw undecodable(layer, object, error)
    }
  }

  await readStream(
    source.store,
    layer.record.container,
    object.name,
    { signal, extraMetadata },
    async (pieces) => {
      for await (const piece of opened(pieces)) {
        throwIfAborted(signal)
        if (rawBytes + piece.length > object.lengthBytes)
          throw wrongLength(layer, object, rawBytes + piece.length)
        md5.update(piece)
        await use(piece, rawBytes)
        rawBytes += piece.length
      }
    },
  )
  if (rawBytes !== object.lengthBytes) throw wrongLength(layer, object, rawBytes)
  const digest = md5.digest('hex')
  if (object.md5 !== null && digest !== object.md5) throw wrongMd5(layer, object, digest)
  return storedBytes
}

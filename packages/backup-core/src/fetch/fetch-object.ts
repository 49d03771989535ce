import type { ChainLayer } from '../chain/chain.js'
import { isBackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import {
  corrupt,
  maxStoredBytes,
  undecodable,
  wrongLength,
  wrongMd5,
  type ObjectSource,
} from './object-source.js'
import type { Compressor } from '../contracts/compressor.js'
import { md5Of } from '../hash/chunk-hasher.js'
import { readStream, withReader } from '../store/objects.js'
import type { StepListener } from '../contracts/progress.js'
import type { FetchSteps } from './object-visitor.js'
import { createHash } from 'node:crypto'
import { throwIfAborted } from '../errors/abort.js'

/**
 * Reads once more what fails its check: a bad disk or a flipped bit on the way may be one replica's or one moment's.
 * What fails twice is `OBJECT_CORRUPT`.
 */
export async function twice<T>(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  attempt: (again: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(false)
  } catch (error) {
    if (!isBackupError(error, 'OBJECT_CORRUPT')) throw error
    const result = await attempt(true)
    source.onWarning({
      code: 'OBJECT_REREAD',
      message: `${object.name} was damaged when first read and whole when read again: ${error.message}`,
      backupId: layer.record.id,
    })
    return result
  }
}

/** An object's bytes. */
export interface FetchedObject {
  readonly raw: Uint8Array
  /** How long it was as stored. */
  readonly storedBytes: number
}

/** The memory of one fetch. */
export interface FetchMemory {
  /** Holds the object. */
  readonly rawBuffer: Uint8Array
  /** Holds its stored form, where that is another. */
  readonly storedBuffer: Uint8Array
  readonly signal: AbortSignal
  /** Lets the store check what it gives as well, so that a failure says whose it is. */
  readonly checkedByStore: boolean
  readonly steps?: FetchSteps | undefined
}

/** Fetches an object whole and opens it. Its bytes are not checked yet. */
export async function fetchWhole(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  memory: FetchMemory,
): Promise<FetchedObject> {
  const compressor = source.compressors.forName(object.compression)
  const { container } = layer.record
  const { extraMetadata } = layer.metadata
  const { signal } = memory
  const stored = await withReader(source.store, container, object.name, { signal, extraMetadata }, (reader) =>
    reader.read({
      signal,
      maxBytes: maxStoredBytes(object),
      buffer: memory.storedBuffer,
      checkedByCaller: object.md5 !== null && !memory.checkedByStore,
      ...progressOptions(memory.steps?.fetched),
    }),
  ).catch((error: unknown) => {
    if (!isBackupError(error, 'OBJECT_TOO_LARGE')) throw error
    throw corrupt(layer, object, 'it is longer than its metadata says', error)
  })
  const opened = compressor ? await open(compressor, layer, object, stored, memory) : stored
  if (opened.length !== object.lengthBytes) throw wrongLength(layer, object, opened.length)
  return { raw: inShared(opened, memory.rawBuffer), storedBytes: stored.length }
}

/** Holds an object's bytes against its MD5, where it has one. */
export async function checkMd5(layer: ChainLayer, object: StoredObject, raw: Uint8Array): Promise<void> {
  if (object.md5 === null) return
  const md5 = await md5Of([raw])
  if (md5 !== object.md5) throw wrongMd5(layer, object, md5)
}

function progressOptions(onProgress: StepListener | undefined): { onProgress?: StepListener } {
  return onProgress ? { onProgress } : {}
}

async function open(
  compressor: Compressor,
  layer: ChainLayer,
  object: StoredObject,
  stored: Uint8Array,
  memory: FetchMemory,
): Promise<Uint8Array> {
  try {
    return await compressor.decompress(stored, object.lengthBytes, {
      signal: memory.signal,
      buffer: memory.rawBuffer,
      ...progressOptions(memory.steps?.opened),
    })
  } catch (error) {
    // An engine that failed, or was stopped, says nothing about the object.
    if (isBackupError(error) && error.code !== 'OBJECT_CORRUPT') throw error
    throw undecodable(layer, object, error)
  }
}

/** Bytes that a worker can hash where they are. */
function inShared(bytes: Uint8Array, buffer: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes
  const view = buffer.subarray(0, bytes.length)
  view.set(bytes)
  return view
}

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
  const compressor = source.compressors.forName(object.compression)
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

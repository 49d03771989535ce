import type { Compressor } from '../compression/compressor.js'
import type { Compressors } from '../compression/compressors.js'
import type { ObjectStore } from '../driver/object-store.js'
import { BackupError, isBackupError, type BackupErrorOptions } from '../errors/backup-error.js'
import type { ChainLayer } from '../chain/chain.js'
import type { StoredObject } from '../format/metadata.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { BufferPool } from '../pipeline/buffer-pool.js'
import type { WarningListener } from '../progress/progress.js'
import { withReader } from '../store/read-object.js'

/** Where objects are fetched from, and with what they are opened. */
export interface ObjectSource {
  readonly store: ObjectStore
  readonly compressors: Compressors
  readonly allowMissingMd5: boolean
  readonly onWarning: WarningListener
}

/** The memory that fetching an object takes: its bytes, and its stored form where that is another. */
export function fetchMemoryBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : 2 * object.lengthBytes
}

/**
 * Throws for an object that could not be checked or opened once it were here: `COMPRESSION_UNKNOWN`, or
 * `METADATA_INVALID` for one without an MD5. Asked of every object before anything is written.
 */
export function assertFetchable(source: ObjectSource, layer: ChainLayer, object: StoredObject): void {
  source.compressors.forWord(object.compression)
  if (object.md5 === null && !source.allowMissingMd5) {
    throw new BackupError(
      'METADATA_INVALID',
      `The metadata of backup ${layer.record.id} has no MD5 for ${object.name}, so its bytes cannot be checked. Allow objects without one (allowMissingMd5) to take them as they are.`,
      describe(layer, object),
    )
  }
}

/**
 * Fetches an object and hands its raw bytes to `use`: exactly its length, and of its MD5. What fails the check is read
 * once more, for a bad disk or a flipped bit on the way may be a store's one replica or one moment; then it is
 * `OBJECT_CORRUPT`. The bytes are only good until `use` resolves.
 */
export async function fetchObject(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  buffers: BufferPool,
  signal: AbortSignal,
  use: (raw: Uint8Array, storedBytes: number) => Promise<void>,
): Promise<void> {
  const compressor = source.compressors.forWord(object.compression)
  const rawBuffer = buffers.take(object.lengthBytes)
  const storedBuffer = compressor ? buffers.take(object.lengthBytes) : rawBuffer
  try {
    const attempt = (): Promise<Fetched> =>
      fetchOnce(source, layer, object, compressor, { rawBuffer, storedBuffer, signal })
    let fetched: Fetched
    try {
      fetched = await attempt()
    } catch (error) {
      if (!isBackupError(error, 'OBJECT_CORRUPT')) throw error
      fetched = await attempt()
      source.onWarning({
        code: 'OBJECT_REREAD',
        message: `${object.name} was damaged when first read and whole when read again: ${error.message}`,
        backupId: layer.record.id,
      })
    }
    await use(fetched.raw, fetched.storedBytes)
  } finally {
    buffers.give(rawBuffer)
    if (storedBuffer !== rawBuffer) buffers.give(storedBuffer)
  }
}

interface Fetched {
  readonly raw: Uint8Array
  readonly storedBytes: number
}

interface FetchMemory {
  readonly rawBuffer: Uint8Array
  readonly storedBuffer: Uint8Array
  readonly signal: AbortSignal
}

async function fetchOnce(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  compressor: Compressor | null,
  memory: FetchMemory,
): Promise<Fetched> {
  const { container } = layer.record
  const { extraMetadata } = layer.metadata
  const { signal } = memory
  const stored = await withReader(source.store, container, object.name, { signal, extraMetadata }, (reader) =>
    reader.read({ signal, maxBytes: maxStoredBytes(object), buffer: memory.storedBuffer }),
  ).catch((error: unknown) => {
    if (!isBackupError(error, 'OBJECT_TOO_LARGE')) throw error
    throw corrupt(layer, object, 'it is longer than its metadata says', error)
  })
  const opened = compressor ? await open(compressor, layer, object, stored, memory) : stored
  if (opened.length !== object.lengthBytes) {
    throw corrupt(
      layer,
      object,
      `it holds ${opened.length} bytes and not the ${object.lengthBytes} of its metadata`,
    )
  }
  const raw = inShared(opened, memory.rawBuffer)
  if (object.md5 !== null) {
    const { md5 } = await hashChunk({ bytes: raw, blockSizeBytes: 0, md5: true })
    if (md5 !== object.md5) {
      throw corrupt(layer, object, `its MD5 is ${String(md5)} and not the ${object.md5} of its metadata`)
    }
  }
  return { raw, storedBytes: stored.length }
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
    })
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'COMPRESSION_UNKNOWN')) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw corrupt(layer, object, `it does not decompress (${object.compression}): ${why}`, error)
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
 * Cinder stores a chunk raw when its compressed form is not smaller; others may not, and a compressor's worst case is
 * a little longer than its input. Beyond that an object is not what its metadata says.
 */
function maxStoredBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : Math.ceil(object.lengthBytes * 1.02) + 64 * 1024
}

function corrupt(layer: ChainLayer, object: StoredObject, what: string, cause?: unknown): BackupError {
  return new BackupError(
    'OBJECT_CORRUPT',
    `${object.name} is damaged: ${what}. Verify the backup to see what else is; what other backups hold of this place can be restored from them.`,
    { ...describe(layer, object), cause },
  )
}

function describe(layer: ChainLayer, object: StoredObject): BackupErrorOptions {
  return {
    backupId: layer.record.id,
    container: layer.record.container,
    objectName: object.name,
    offsetBytes: object.offsetBytes,
  }
}

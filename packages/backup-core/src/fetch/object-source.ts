import type { Chain, ChainLayer } from '../chain/chain.js'
import type { Compressors } from '../compression/compressors.js'
import type { ObjectStore } from '../contracts/object-store.js'
import { BackupError, type BackupErrorOptions } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import type { Concurrency } from '../pipeline/slots.js'
import type { WarningListener } from '../contracts/progress.js'

/** Where objects are fetched from, and with what they are opened. */
export interface ObjectSource {
  readonly store: ObjectStore
  readonly compressors: Compressors
  readonly allowMissingMd5: boolean
  /** The most that an object may take which has to be held whole, in bytes. */
  readonly maxObjectMemoryBytes: number
  readonly onWarning: WarningListener
}

/** A chain to restore or to verify, and what that may take. */
export interface ChainJob {
  readonly source: ObjectSource
  readonly chain: Chain
  /** Refuses where Cinder refuses. */
  readonly strict: boolean
  readonly concurrency: Concurrency
  readonly maxMemoryBytes: number
}

/** The memory that fetching an object whole takes: its bytes, and its stored form where that is another. */
export function wholeBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : 2 * object.lengthBytes
}

/** Whether the store and the compressor can give this object in pieces. */
export function canFetchInPieces(source: ObjectSource, object: StoredObject): boolean {
  const compressor = source.compressors.forName(object.compression)
  return (
    source.store.capabilities.streamingReads === true &&
    (compressor === null || compressor.decompressStream !== undefined)
  )
}

/**
 * Throws for an object that could not be checked or opened once it were here: `COMPRESSION_UNKNOWN`,
 * `METADATA_INVALID` for one without an MD5, `MEMORY_LIMIT` for one that must be held whole and may not. Asked of every
 * object before anything is written, and before memory is taken by what its manifest says.
 */
export function assertFetchable(source: ObjectSource, layer: ChainLayer, object: StoredObject): void {
  source.compressors.forName(object.compression)
  if (object.md5 === null && !source.allowMissingMd5) {
    throw new BackupError(
      'METADATA_INVALID',
      `The metadata of backup ${layer.record.id} has no MD5 for ${object.name}, so its bytes cannot be checked. Allow objects without one (allowMissingMd5) to take them as they are.`,
      placeOf(layer, object),
    )
  }
  const neededBytes = wholeBytes(object)
  if (neededBytes > source.maxObjectMemoryBytes && !canFetchInPieces(source, object))
    throw beyondMemory(source, layer, object, neededBytes)
}

function beyondMemory(
  { store, maxObjectMemoryBytes }: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  neededBytes: number,
): BackupError {
  const { compression, lengthBytes, name } = object
  const reason =
    store.capabilities.streamingReads === true
      ? `its compression, ${compression}, cannot be decompressed in pieces by the compressor at hand`
      : 'the store reads objects whole'
  const other =
    compression === 'zstd' ? ', or use Node.js 22.15 or later, which decompresses zstd in pieces' : ''
  return new BackupError(
    'MEMORY_LIMIT',
    `${name} holds ${lengthBytes} bytes and takes ${neededBytes} bytes of memory, more than the limit of ${maxObjectMemoryBytes}: ${reason}. Set maxMemoryBytes to at least ${neededBytes}${other}.`,
    placeOf(layer, object),
  )
}

/**
 * The most bytes that an object may have as stored. Cinder stores a chunk raw when its compressed form is not smaller;
 * others may not, and a compressor's worst case is a little longer than its input. Beyond that an object is not what
 * its metadata says.
 */
export function maxStoredBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : Math.ceil(object.lengthBytes * 1.02) + 64 * 1024
}

/** What to do about a damaged object, in the error of a restore. A verification that lists all of them needs no such line. */
export const DAMAGE_ADVICE =
  '. Verify the backup to see what else is; what other backups hold of this place can be restored from them.'

/** The error for an object that is not what its metadata says. */
export function corrupt(layer: ChainLayer, object: StoredObject, what: string, cause?: unknown): BackupError {
  return new BackupError('OBJECT_CORRUPT', `${object.name} is damaged: ${what}${DAMAGE_ADVICE}`, {
    ...placeOf(layer, object),
    cause,
  })
}

/** The error for bytes that do not decompress. */
export function undecodable(layer: ChainLayer, object: StoredObject, cause: unknown): BackupError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return corrupt(layer, object, `it does not decompress (${object.compression}): ${why}`, cause)
}

/** The error for bytes of another MD5. */
export function wrongMd5(layer: ChainLayer, object: StoredObject, md5: string | null): BackupError {
  return corrupt(layer, object, `its MD5 is ${String(md5)} and not the ${String(object.md5)} of its metadata`)
}

/** The error for a length that is not the metadata's. */
export function wrongLength(layer: ChainLayer, object: StoredObject, lengthBytes: number): BackupError {
  return corrupt(
    layer,
    object,
    `it holds ${lengthBytes} bytes and not the ${object.lengthBytes} of its metadata`,
  )
}

function placeOf(layer: ChainLayer, object: StoredObject): BackupErrorOptions {
  return {
    backupId: layer.record.id,
    container: layer.record.container,
    objectName: object.name,
    offsetBytes: object.offsetBytes,
  }
}

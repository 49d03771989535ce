import type { ChainLayer } from '../chain/chain-layer.js'
import type { Compressor } from '../compression/compressor.js'
import { isBackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import { md5Of } from '../hash/chunk-hasher.js'
import { withReader } from '../store/read-object.js'
import type { StepListener } from '../progress/progress.js'
import type { FetchSteps } from './object-visitor.js'
import {
  corrupt,
  maxStoredBytes,
  undecodable,
  wrongLength,
  wrongMd5,
  type ObjectSource,
} from './object-source.js'

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
  const compressor = source.compressors.forWord(object.compression)
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

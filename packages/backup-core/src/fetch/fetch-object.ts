import { createHash } from 'node:crypto'
import type { VisibleObject } from '../chain/extent-map.js'
import type { ChainContext } from '../chain/chain.js'
import type { Compressors } from '../compression/compressors.js'
import type { Compressor } from '../contracts/compressor.js'
import type { ObjectReader } from '../contracts/object-store.js'
import type { ByteProgressListener } from '../contracts/progress.js'
import {
  BackupError,
  isBackupError,
  throwIfAborted,
  type BackupErrorOptions,
} from '../errors/backup-error.js'
import type { StoredObject } from '../format/manifest.js'
import { md5Of } from '../hash/chunk-hasher.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import type { SlotCounts } from '../pipeline/slots.js'
import { StoreAccess } from '../store/access.js'
import { withReader } from '../store/objects.js'

/** A chain to restore or to verify, from where, and with which limits. */
export interface ChainJob extends ChainContext {
  readonly compressors: Compressors
  readonly allowMissingMd5: boolean
  readonly concurrency: SlotCounts
  readonly maxMemoryBytes: number
  /** The maximum memory of an object that must be held whole. */
  readonly maxObjectMemoryBytes: number
}

/** What fetching the objects of a chain needs. */
export type FetchJob = Pick<ChainJob, 'access' | 'compressors' | 'onWarning'>

/** An object, and the layer of the chain that it is of. */
export type ChainObject = Pick<VisibleObject, 'layer' | 'object'>

/** The memory that fetching an object whole takes: its bytes, and its stored form where it is compressed. */
export function fetchMemoryBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : 2 * object.lengthBytes
}

/** Whether the store and the compressor can read this object in pieces. */
export function canFetchInPieces({ access, compressors }: FetchJob, object: StoredObject): boolean {
  const compressor = compressors.forName(object.compression)
  const canDecompress = compressor === null || compressor.decompressStream !== undefined
  return access.store.capabilities.streamingReads === true && canDecompress
}

/** Finds the compressors of these objects. Called before {@link assertFetchable}, which throws for one that is missing. */
export function loadCompressors(
  { compressors }: Pick<FetchJob, 'compressors'>,
  items: readonly ChainObject[],
): Promise<void> {
  return compressors.load(items.map(({ object }) => object.compression))
}

/**
 * Throws for an object that could not be checked or decompressed: `COMPRESSION_UNKNOWN`, `METADATA_INVALID` for one without
 * an MD5, `MEMORY_LIMIT` for one that must be held whole and exceeds the limit. Called for every object before anything is
 * written, and before memory is allocated by what a manifest states.
 */
export function assertFetchable(job: ChainJob, item: ChainObject): void {
  const { name, md5, compression, lengthBytes } = item.object
  job.compressors.forName(compression)
  if (md5 === null && !job.allowMissingMd5) {
    const message = `The metadata of backup ${item.layer.record.id} has no MD5 for ${name}, so its bytes cannot be checked. Allow objects without one (allowMissingMd5) to take them as they are.`
    throw new BackupError('METADATA_INVALID', message, detailsOf(item))
  }
  const neededBytes = fetchMemoryBytes(item.object)
  if (neededBytes <= job.maxObjectMemoryBytes || canFetchInPieces(job, item.object)) return
  const reason =
    job.access.store.capabilities.streamingReads === true
      ? `its compressor (${compression}) cannot decompress it in pieces`
      : 'the store reads objects whole'
  const other =
    compression === 'zstd' ? ', or use Node.js 22.15 or later, which decompresses zstd in pieces' : ''
  const message = `${name} holds ${lengthBytes} bytes and takes ${neededBytes} bytes of memory, which exceeds the limit of ${job.maxObjectMemoryBytes}: ${reason}. Set maxMemoryBytes to at least ${neededBytes}${other}.`
  throw new BackupError('MEMORY_LIMIT', message, detailsOf(item))
}

/** How an object is fetched whole. */
export interface WholeFetchOptions {
  /** Lets the store check its data as well, so that a failure names the cause. */
  readonly checkedByStore: boolean
  readonly onFetched: ByteProgressListener
  readonly onDecompressed: ByteProgressListener
}

/** An object's bytes, and its stored length. */
export interface FetchedObject {
  readonly raw: Uint8Array
  readonly storedBytes: number
}

/** Fetches one object of a chain, within a pipeline. */
export class ObjectFetch {
  constructor(
    private readonly job: FetchJob,
    private readonly item: ChainObject,
    readonly context: PipelineContext,
  ) {}

  get #compressor(): Compressor | null {
    return this.job.compressors.forName(this.item.object.compression)
  }

  /** Opens the object, passes its reader to `use`, and closes it. */
  open<T>(use: (reader: ObjectReader) => Promise<T>): Promise<T> {
    const { record, manifest } = this.item.layer
    const options = { signal: this.context.signal, extraMetadata: manifest.extraMetadata }
    return withReader(this.job.access.store, record.container, this.item.object.name, options, use)
  }

  /**
   * Fetches the object whole and decompresses it, in a slot. Its MD5 is not checked yet.
   *
   * @param rawBuffer - for the object's bytes
   */
  async whole(rawBuffer: Uint8Array, options: WholeFetchOptions): Promise<FetchedObject> {
    const { storedBuffers, slots } = this.context
    const { lengthBytes } = this.item.object
    const isCompressed = this.#compressor !== null
    const buffer = isCompressed ? storedBuffers.take(lengthBytes) : rawBuffer
    const fetch = async (): Promise<FetchedObject> => {
      const stored = await this.stored(buffer, options)
      return {
        raw: await this.decompress(stored, rawBuffer, options.onDecompressed),
        storedBytes: stored.length,
      }
    }
    try {
      return await slots.run(lengthBytes, fetch)
    } finally {
      if (isCompressed) storedBuffers.release(buffer)
    }
  }

  /** Reads the object as it is stored, into the buffer if it fits. The caller holds a slot. */
  async stored(
    buffer: Uint8Array,
    { checkedByStore, onFetched }: Omit<WholeFetchOptions, 'onDecompressed'>,
  ): Promise<Uint8Array> {
    const { item } = this
    const { signal } = this.context
    const maxBytes = maxStoredBytes(item.object)
    const checkedByCaller = item.object.md5 !== null && !checkedByStore
    return this.open((reader) =>
      reader.read({ signal, maxBytes, buffer, checkedByCaller, onProgress: onFetched }),
    ).catch((error: unknown) => {
      throw isBackupError(error, 'OBJECT_TOO_LARGE') ? tooLong(item, error) : error
    })
  }

  /**
   * Decompresses what {@link stored} returned, into the buffer, and checks the length. An object that is not compressed is
   * copied there only where its memory is not shared.
   */
  async decompress(
    stored: Uint8Array,
    rawBuffer: Uint8Array,
    onDecompressed: ByteProgressListener,
  ): Promise<Uint8Array> {
    const { item } = this
    const { lengthBytes } = item.object
    const into = { signal: this.context.signal, buffer: rawBuffer, onProgress: onDecompressed }
    const raw = await this.#compressor?.decompress(stored, lengthBytes, into).catch((error: unknown) => {
      throw decompressionError(item, error)
    })
    const bytes = raw ?? stored
    if (bytes.length !== lengthBytes) throw wrongLength(item, bytes.length)
    // Only in shared memory a worker can hash it.
    if (bytes.buffer instanceof SharedArrayBuffer) return bytes
    rawBuffer.set(bytes)
    return rawBuffer.subarray(0, lengthBytes)
  }

  /** Verifies the object's bytes against its MD5, where it has one. */
  async checkMd5(raw: Uint8Array): Promise<void> {
    if (this.item.object.md5 !== null) assertMd5(this.item, await md5Of([raw]))
  }

  /**
   * Reads an object that memory does not hold, such as Cinder's POSIX driver writes by default (1.86 GiB), and passes each
   * piece of its bytes to `use`, with its offset in the object. Length and MD5 are checked at the end: a caller that must not
   * use unchecked bytes reads the object twice, the first time for the check alone.
   *
   * @param useStored - is passed each piece as it is stored, before it is decompressed
   * @returns the stored length
   */
  async inPieces(
    use: (piece: Uint8Array, atBytes: number) => Promise<void>,
    useStored?: (piece: Uint8Array) => Promise<void>,
  ): Promise<number> {
    const { item } = this
    const { signal } = this.context
    const { name, lengthBytes } = item.object
    const compressor = this.#compressor
    const md5 = createHash('md5')
    let storedBytes = 0
    let rawBytes = 0
    let inputError: { readonly error: unknown } | undefined

    const counted = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      try {
        for await (const piece of pieces) {
          throwIfAborted(signal)
          storedBytes += piece.length
          if (storedBytes > maxStoredBytes(item.object)) throw tooLong(item)
          await useStored?.(piece)
          yield piece
        }
      } catch (error) {
        inputError = { error }
        throw error
      }
    }
    const decompressed = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      const stored = counted(pieces)
      try {
        yield* compressor?.decompressStream?.(stored, lengthBytes, { signal }) ?? stored
      } catch (error) {
        // A failure to read is reported as that, whatever error the compressor made of it.
        if (inputError) throw inputError.error
        throw compressor ? decompressionError(item, error) : error
      }
    }
    const useAll = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const piece of decompressed(pieces)) {
        throwIfAborted(signal)
        if (rawBytes + piece.length > lengthBytes) throw wrongLength(item, rawBytes + piece.length)
        md5.update(piece)
        await use(piece, rawBytes)
        rawBytes += piece.length
      }
    }
    const { record, manifest } = item.layer
    const access = new StoreAccess(this.job.access.store, { signal })
    await access.stream(record.container, name, useAll, manifest.extraMetadata)
    if (rawBytes !== lengthBytes) throw wrongLength(item, rawBytes)
    assertMd5(item, md5.digest('hex'))
    return storedBytes
  }

  /**
   * Retries once after a failed check: the damage may be on one replica, or transient. A second failure is `OBJECT_CORRUPT`.
   */
  async retryIfCorrupt<T>(attempt: (again: boolean) => Promise<T>): Promise<T> {
    try {
      return await attempt(false)
    } catch (error) {
      if (!isBackupError(error, 'OBJECT_CORRUPT')) throw error
      const result = await attempt(true)
      const { layer, object } = this.item
      const message = `${object.name} was damaged at the first read and intact at the second: ${error.message}`
      this.job.onWarning({ code: 'OBJECT_REREAD', message, backupId: layer.record.id })
      return result
    }
  }
}

function assertMd5(item: ChainObject, md5: string | null): void {
  const expected = item.object.md5
  if (expected !== null && md5 !== expected)
    throw corrupt(item, `its MD5 is ${String(md5)}, expected ${expected}`)
}

/**
 * The maximum stored length of an object. Cinder stores a chunk raw when its compressed form is not smaller; others may not,
 * and a compressor's worst case is a little longer than its input.
 */
function maxStoredBytes(object: StoredObject): number {
  return object.compression === 'none' ? object.lengthBytes : Math.ceil(object.lengthBytes * 1.02) + 64 * 1024
}

/** What to do about a damaged object, in the error of a restore. A verification, which lists all of them, removes it. */
export const DAMAGE_ADVICE =
  '. Verify the backup with level `full` to see what else is damaged; other backups of the volume may still have this range.'

function corrupt(item: ChainObject, what: string, cause?: unknown): BackupError {
  const message = `${item.object.name} is damaged: ${what}${DAMAGE_ADVICE}`
  return new BackupError('OBJECT_CORRUPT', message, { ...detailsOf(item), cause })
}

function tooLong(item: ChainObject, cause?: unknown): BackupError {
  return corrupt(item, `its stored form exceeds the maximum of ${maxStoredBytes(item.object)} bytes`, cause)
}

/** A compressor that failed, or was stopped, does not mean that the object is damaged. */
function decompressionError(item: ChainObject, cause: unknown): BackupError {
  if (isBackupError(cause) && cause.code !== 'OBJECT_CORRUPT') return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return corrupt(item, `it does not decompress (${item.object.compression}): ${why}`, cause)
}

function wrongLength(item: ChainObject, lengthBytes: number): BackupError {
  return corrupt(item, `it holds ${lengthBytes} bytes, expected ${item.object.lengthBytes}`)
}

function detailsOf({ layer, object }: ChainObject): BackupErrorOptions {
  const { id, container } = layer.record
  return { backupId: id, container, objectName: object.name, offsetBytes: object.offsetBytes }
}

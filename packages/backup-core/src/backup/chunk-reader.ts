import type { OpenSource, VolumeExtent } from '../contracts/volume.js'
import { abortedError, BackupError } from '../errors/backup-error.js'
import { hashParts, ChunkHasher } from '../hash/chunk-hasher.js'
import type { PieceHashes } from '../hash/hash-pool.js'
import type { BufferPool } from '../pipeline/buffer-pool.js'
import type { ChunkPlan } from '../pipeline/memory-plan.js'
import type { VolumeChunk } from './volume-chunks.js'

/** What chunks are read with. */
export interface ChunkReaderOptions {
  readonly source: OpenSource
  readonly plan: Pick<ChunkPlan, 'pieceSizeBytes' | 'piecesInMemory' | 'contiguous'>
  readonly blockSizeBytes: number
  /** Also computes the MD5 of the chunk, piece by piece. Without it, the pieces are hashed concurrently. */
  readonly withMd5: boolean
  /**
   * At least one piece of zeros in shared memory, which all holes share and nothing writes to. Copying zeros is many times
   * faster than `fill`, with which V8 writes shared memory one byte at a time.
   */
  readonly zeros: Uint8Array
  readonly buffers: BufferPool
  readonly signal: AbortSignal
  /** Called with the number of bytes of the chunk that have been read, and that have been hashed. */
  readonly onProgress: (readBytes: number, hashedBytes: number) => void
  /** Called when memory of the chunk is not in use any more. */
  readonly onRelease: (lengthBytes: number) => void
}

/** A piece of a chunk in memory. */
export interface HashedPiece {
  /** Within the volume. */
  readonly offsetBytes: number
  /** Valid until {@link release}. */
  readonly bytes: Uint8Array
  readonly hashes: Promise<PieceHashes>
  /** Returns the memory to the pool. Later calls do nothing. */
  readonly release: () => void
}

/**
 * Reads a chunk once, from its first byte to its last, and hashes it in pieces. Reading starts in the constructor, and
 * goes ahead of the consumer by a number of pieces. Holes, and what is known not to have changed, are not read.
 */
export class ChunkReader {
  readonly #chunk: VolumeChunk
  readonly #options: ChunkReaderOptions
  readonly #hasher: ChunkHasher | undefined
  /** In their order. The first one is the consumer's next. */
  readonly #ahead: Promise<HashedPiece | undefined>[] = []
  /** Pieces that the consumer has, or will get, and has not released. */
  readonly #held = new Set<HashedPiece>()
  #lastRead: Promise<unknown> = Promise.resolve()
  #nextBytes = 0
  #readBytes = 0
  #hashedBytes = 0
  /** Whether a stream ended before the chunk did. */
  #ended = false
  /** The buffer of all pieces, where the plan is for a contiguous chunk. */
  #contiguous: Uint8Array | undefined
  #md5: Promise<string> | undefined
  #closing: Promise<void> | undefined

  constructor(chunk: VolumeChunk, options: ChunkReaderOptions) {
    this.#chunk = chunk
    this.#options = options
    if (options.withMd5) this.#hasher = new ChunkHasher(options.blockSizeBytes)
    this.#readAhead()
  }

  /** MD5 of the chunk in lower-case hex. Undefined until the last piece has been taken, and without `withMd5`. */
  get md5(): Promise<string> | undefined {
    return this.#md5
  }

  /** Yields the chunk's pieces in order, once. */
  async *pieces(): AsyncGenerator<HashedPiece> {
    for (let first = this.#ahead[0]; first; first = this.#ahead[0]) {
      const piece = await first
      this.#assertOpen()
      // Finish the MD5 before the last piece is yielded: a store asks for it as soon as it has the last byte.
      if (this.#isLast()) {
        await piece?.hashes
        this.#endMd5()
      }
      if (piece) yield piece
      this.#assertOpen()
      void this.#ahead.shift()
      this.#readAhead()
    }
    this.#endMd5()
  }

  /** Stops reading and releases all pieces. Resolves when neither a read nor a worker uses their memory. */
  close(): Promise<void> {
    this.#closing ??= this.#settle()
    return this.#closing
  }

  #isLast(): boolean {
    return this.#ahead.length === 1 && (this.#ended || this.#nextBytes === this.#chunk.lengthBytes)
  }

  #endMd5(): void {
    this.#md5 ??= this.#hasher?.end()
    // The consumer might never await it.
    this.#md5?.catch(() => undefined)
  }

  /** After close() the memory of the pieces may be in use elsewhere. */
  #assertOpen(): void {
    if (this.#closing) throw abortedError(this.#options.signal, 'Reading a chunk')
  }

  async #settle(): Promise<void> {
    this.#ended = true
    await Promise.allSettled(this.#ahead)
    await Promise.allSettled([...this.#held].map(({ hashes }) => hashes))
    for (const piece of this.#held) piece.release()
    this.#returnContiguous()
    // A worker holds the state of the MD5 until `end()` is called.
    this.#endMd5()
    await this.#md5?.catch(() => undefined)
  }

  #readAhead(): void {
    const { piecesInMemory, pieceSizeBytes } = this.#options.plan
    const { lengthBytes } = this.#chunk
    while (this.#ahead.length < piecesInMemory && this.#nextBytes < lengthBytes && !this.#ended) {
      const startBytes = this.#nextBytes
      this.#nextBytes = Math.min(startBytes + pieceSizeBytes, lengthBytes)
      if (this.#isUnchanged(startBytes, this.#nextBytes)) {
        this.#count(this.#nextBytes - startBytes, this.#nextBytes - startBytes)
        continue
      }
      const read = this.#read(startBytes, this.#nextBytes, this.#lastRead)
      // The consumer gets this error when it reaches the piece.
      read.catch(() => undefined)
      this.#lastRead = read
      this.#ahead.push(read)
    }
  }

  #isUnchanged(startBytes: number, endBytes: number): boolean {
    const { changes, offsetBytes } = this.#chunk
    return (
      changes !== undefined && within(changes, offsetBytes + startBytes, offsetBytes + endBytes).length === 0
    )
  }

  /** @param before - the piece before: a source may have to be read in order, and the MD5 is computed in order */
  async #read(
    startBytes: number,
    endBytes: number,
    before: Promise<unknown>,
  ): Promise<HashedPiece | undefined> {
    const { source, zeros, signal } = this.#options
    const offsetBytes = this.#chunk.offsetBytes + startBytes
    if (!source.seekable) await before
    signal.throwIfAborted()
    if (this.#ended) return undefined
    const data = within(this.#chunk.data, offsetBytes, this.#chunk.offsetBytes + endBytes)
    const isHole = data.length === 0
    const memory = this.#memoryFor(startBytes, endBytes, isHole)
    const into = memory?.subarray(0, endBytes - startBytes)
    let readBytes = endBytes - startBytes
    try {
      if (into) readBytes = await fillPiece(source, data, zeros, into, offsetBytes, signal)
      await before
    } catch (error) {
      this.#returnMemory(memory)
      throw error
    }
    if (readBytes < endBytes - startBytes) this.#ended = true
    if (readBytes === 0) {
      this.#returnMemory(memory)
      return undefined
    }
    this.#count(readBytes, 0)
    const bytes = into?.subarray(0, readBytes) ?? zeros.subarray(0, readBytes)
    const hashes = this.#hash(bytes, isHole)
    hashes.catch(() => undefined)
    const piece = {
      ...{ offsetBytes, bytes, hashes },
      release: () => {
        if (this.#held.delete(piece)) this.#release(piece.bytes, memory)
      },
    }
    this.#held.add(piece)
    return piece
  }

  /** Undefined for a hole, which takes no memory of its own. */
  #memoryFor(startBytes: number, endBytes: number, isHole: boolean): Uint8Array | undefined {
    const { buffers, plan } = this.#options
    if (!plan.contiguous)
      return isHole ? undefined : buffers.take(Math.min(plan.pieceSizeBytes, this.#chunk.lengthBytes))
    if (this.#chunk.data.length === 0) return undefined
    this.#contiguous ??= buffers.take(this.#chunk.lengthBytes)
    return this.#contiguous.subarray(startBytes, endBytes)
  }

  #returnMemory(memory: Uint8Array | undefined): void {
    if (memory && !this.#options.plan.contiguous) this.#options.buffers.release(memory)
  }

  #release(bytes: Uint8Array, memory: Uint8Array | undefined): void {
    this.#returnMemory(memory)
    if (this.#held.size === 0 && this.#ahead.length === 0) this.#returnContiguous()
    this.#options.onRelease(bytes.length)
  }

  #returnContiguous(): void {
    if (this.#contiguous) this.#options.buffers.release(this.#contiguous)
    this.#contiguous = undefined
  }

  async #hash(bytes: Uint8Array, isHole: boolean): Promise<PieceHashes> {
    const { blockSizeBytes } = this.#options
    const hashes = await (this.#hasher?.add(bytes, isHole) ?? hashPiece(bytes, blockSizeBytes, isHole))
    this.#count(0, bytes.length)
    return hashes
  }

  #count(readBytes: number, hashedBytes: number): void {
    this.#readBytes += readBytes
    this.#hashedBytes += hashedBytes
    this.#options.onProgress(this.#readBytes, this.#hashedBytes)
  }
}

async function hashPiece(
  bytes: Uint8Array,
  blockSizeBytes: number,
  knownZeros: boolean,
): Promise<PieceHashes> {
  const { sha256s, allZero } = await hashParts({ parts: [bytes], blockSizeBytes, md5: false, knownZeros })
  return { sha256s: sha256s ?? new Uint8Array(0), allZero }
}

/** The parts of some extents between two offsets. */
function within(extents: readonly VolumeExtent[], startBytes: number, endBytes: number): VolumeExtent[] {
  const found: VolumeExtent[] = []
  for (const extent of extents) {
    const offsetBytes = Math.max(startBytes, extent.offsetBytes)
    const lengthBytes = Math.min(endBytes, extent.offsetBytes + extent.lengthBytes) - offsetBytes
    if (lengthBytes > 0) found.push({ offsetBytes, lengthBytes })
  }
  return found
}

/**
 * Reads a piece of a volume, and fills its holes with zeros.
 *
 * @param data - where in the piece the source has data, in ascending order
 * @returns the number of bytes: fewer than `into` has room for only at the end of a stream
 */
async function fillPiece(
  source: OpenSource,
  data: readonly VolumeExtent[],
  zeros: Uint8Array,
  into: Uint8Array,
  offsetBytes: number,
  signal: AbortSignal,
): Promise<number> {
  let filledBytes = 0
  for (const extent of data) {
    const startBytes = extent.offsetBytes - offsetBytes
    into.set(zeros.subarray(0, startBytes - filledBytes), filledBytes)
    filledBytes = startBytes + extent.lengthBytes
    const part = into.subarray(startBytes, filledBytes)
    const readBytes = await source.read(part, extent.offsetBytes, { signal })
    if (readBytes === extent.lengthBytes) continue
    if (source.sizeBytes === undefined) return startBytes + readBytes
    throw shrank(extent.offsetBytes + readBytes, source.sizeBytes)
  }
  into.set(zeros.subarray(0, into.length - filledBytes), filledBytes)
  return into.length
}

function shrank(endBytes: number, sizeBytes: number): BackupError {
  return new BackupError(
    'SOURCE_CHANGED',
    `Cannot read the source beyond byte ${endBytes}: its size was ${sizeBytes} bytes when it was opened. It shrank while it was read. Back up a snapshot of it, or stop its writer.`,
    { offsetBytes: endBytes },
  )
}

import { abortedError } from '../errors/abort.js'
import { PieceHasher } from '../hash/chunk-hasher.js'
import type { BufferPool } from '../pipeline/buffer-pool.js'
import { READ_AHEAD_PIECES } from '../pipeline/memory-plan.js'
import type { OpenSource, VolumeExtent } from '../contracts/volume.js'
import { fillPiece, type Zeros } from './fill-piece.js'

/** A chunk of a full backup. */
export interface ChunkPlace {
  /** From 1, in the order of the volume. */
  readonly number: number
  /** Within the volume. */
  readonly offsetBytes: number
  readonly lengthBytes: number
  /** Where in it the source has data, ascending. */
  readonly data: readonly VolumeExtent[]
}

/** What chunks are read with. */
export interface ChunkMeans {
  readonly source: OpenSource
  readonly blockSizeBytes: number
  /** What is read, hashed and sent at a time: whole blocks. */
  readonly pieceSizeBytes: number
  readonly zeros: Zeros
  readonly buffers: BufferPool
  readonly signal: AbortSignal
}

/** A piece that was read. */
interface ReadPiece {
  readonly bytes: Uint8Array
  /** Undefined for a hole, which takes no memory of its own. */
  readonly buffer: Uint8Array | undefined
  readonly hashed: Promise<void>
}

/**
 * One reading of a chunk from its first byte to its last, hashed on the way. It begins at once, and goes as far ahead of
 * whoever takes the pieces as {@link READ_AHEAD_PIECES}: memory this small stays in the processor's reach from the disk
 * to the socket.
 */
export class ChunkPass {
  /** Of each block of what was read so far, 32 bytes each. */
  readonly sha256s: Uint8Array
  readonly #place: ChunkPlace
  readonly #means: ChunkMeans
  readonly #hasher: PieceHasher
  readonly #onHashed: (endBytes: number) => void
  /** In their order; the first is the one that is being taken. */
  readonly #ahead: Promise<ReadPiece>[] = []
  #lastHashing: Promise<unknown> = Promise.resolve()
  #nextBytes = 0
  /** The first extent that does not end before the next piece. */
  #nextExtent = 0
  #md5: Promise<string> | undefined
  #closing: Promise<void> | undefined

  /** @param onHashed - told how far into the chunk it was read and hashed */
  constructor(place: ChunkPlace, means: ChunkMeans, onHashed: (endBytes: number) => void) {
    this.#place = place
    this.#means = means
    this.#hasher = new PieceHasher(means.blockSizeBytes)
    this.#onHashed = onHashed
    this.sha256s = new Uint8Array(Math.ceil(place.lengthBytes / means.blockSizeBytes) * 32)
    this.#readAhead()
  }

  /** MD5 of the chunk, in lower-case hex, from when the last piece has been taken; undefined before. */
  get md5(): Promise<string> | undefined {
    return this.#md5
  }

  /** The chunk's bytes, once. A piece is good until the next one is asked for. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let first = this.#ahead[0]; first; first = this.#ahead[0]) {
      const piece = await first
      this.#assertOpen()
      const isLast = this.#ahead.length === 1 && this.#nextBytes === this.#place.lengthBytes
      // Nothing is waited for after the last piece: whoever has sent it gets the answer, and asks for the MD5.
      if (isLast) {
        await piece.hashed
        this.#md5 = this.#hasher.end()
        // Whoever asks is told that it failed, and nobody may ask.
        this.#md5.catch(() => undefined)
      }
      yield piece.bytes
      if (!isLast) await piece.hashed
      this.#assertOpen()
      void this.#ahead.shift()
      this.#release(piece)
      this.#readAhead()
    }
  }

  /** Stops reading. Resolves when neither a read nor a worker uses the memory any more. */
  close(): Promise<void> {
    this.#closing ??= this.#settle()
    return this.#closing
  }

  /** Whoever goes on after the end would read memory that is others' by now. */
  #assertOpen(): void {
    if (this.#closing) throw abortedError(this.#means.signal, 'Reading a chunk')
  }

  async #settle(): Promise<void> {
    for (const reading of this.#ahead) {
      const piece = await reading.catch(() => undefined)
      await piece?.hashed.catch(() => undefined)
      if (piece) this.#release(piece)
    }
    // A worker forgets the chunk, whether its sum is wanted or not.
    await (this.#md5 ?? this.#hasher.end()).catch(() => undefined)
  }

  #readAhead(): void {
    const { lengthBytes, offsetBytes } = this.#place
    while (this.#ahead.length < READ_AHEAD_PIECES && this.#nextBytes < lengthBytes) {
      const startBytes = this.#nextBytes
      this.#nextBytes += Math.min(this.#means.pieceSizeBytes, lengthBytes - startBytes)
      const data = this.#dataWithin(offsetBytes + startBytes, offsetBytes + this.#nextBytes)
      // All at once, for a source may be far away; hashed one after the other. One that fails fails those behind it.
      const reading = this.#read(data, startBytes, this.#nextBytes - startBytes, this.#lastHashing)
      // Whoever takes the piece is told, and nobody may.
      reading.catch(() => undefined)
      this.#lastHashing = reading
      this.#ahead.push(reading)
    }
  }

  /** What of the chunk's extents lies in a piece, cut to it. Pieces are asked for in their order. */
  #dataWithin(startBytes: number, endBytes: number): VolumeExtent[] {
    const found: VolumeExtent[] = []
    for (
      let extent = this.#place.data[this.#nextExtent];
      extent;
      extent = this.#place.data[this.#nextExtent]
    ) {
      const extentEndBytes = extent.offsetBytes + extent.lengthBytes
      const fromBytes = Math.max(startBytes, extent.offsetBytes)
      const lengthBytes = Math.min(endBytes, extentEndBytes) - fromBytes
      if (lengthBytes > 0) found.push({ offsetBytes: fromBytes, lengthBytes })
      if (extentEndBytes > endBytes) break
      this.#nextExtent += 1
    }
    return found
  }

  async #read(
    data: readonly VolumeExtent[],
    startBytes: number,
    lengthBytes: number,
    before: Promise<unknown>,
  ): Promise<ReadPiece> {
    const { source, zeros, buffers, signal, pieceSizeBytes, blockSizeBytes } = this.#means
    const buffer = data.length === 0 ? undefined : buffers.take(pieceSizeBytes)
    const bytes = buffer?.subarray(0, lengthBytes) ?? zeros.first(lengthBytes)
    try {
      signal.throwIfAborted()
      if (buffer) await fillPiece(source, data, zeros, bytes, this.#place.offsetBytes + startBytes, signal)
      await before
    } catch (error) {
      if (buffer) buffers.give(buffer)
      throw error
    }
    const hashed = this.#hasher.add(bytes, !buffer).then(({ sha256s }) => {
      this.sha256s.set(sha256s, (startBytes / blockSizeBytes) * 32)
      this.#onHashed(startBytes + lengthBytes)
    })
    hashed.catch(() => undefined)
    return { bytes, buffer, hashed }
  }

  #release({ buffer }: ReadPiece): void {
    if (buffer) this.#means.buffers.give(buffer)
  }
}

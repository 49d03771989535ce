import { throwIfAborted } from '../errors/abort.js'
import type { HashList } from '../format/hash-list.js'
import { hashChunk, sha256 } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../contracts/volume.js'

interface PartialBlock {
  readonly bytes: Uint8Array
  missingBytes: number
}

/** After so many blocks of zeros other work gets its turn. */
const ZEROS_IN_TURN = 65_536

/**
 * Holds a volume's bytes, in whatever order and pieces they come, against the hashes of its blocks. Objects that
 * Cinder or Stowage wrote begin and end at blocks, so nearly all are hashed where they are; a block that several
 * objects share is put together first.
 */
export class BlockCheck {
  readonly #hashes: HashList
  readonly blockSizeBytes: number
  readonly #volumeSizeBytes: number
  readonly #partial = new Map<number, PartialBlock>()
  /** A bit a block; made for the first bad one. */
  #bad: Uint8Array | undefined
  #checked = 0

  /** @param volumeSizeBytes - of exactly as many blocks as there are hashes */
  constructor(hashes: HashList, blockSizeBytes: number, volumeSizeBytes: number) {
    this.#hashes = hashes
    this.blockSizeBytes = blockSizeBytes
    this.#volumeSizeBytes = volumeSizeBytes
  }

  get blocksChecked(): number {
    return this.#checked
  }

  /** Blocks whose bytes have another hash, as runs in ascending order: the first `limit` of them. */
  badExtents(limit: number): VolumeExtent[] {
    const extents: VolumeExtent[] = []
    for (let block = 0; this.#bad !== undefined && block < this.#hashes.length; block += 1) {
      if (((this.#bad[block >> 3] ?? 0) & (1 << (block & 7))) === 0) continue
      const offsetBytes = block * this.blockSizeBytes
      const last = extents.at(-1)
      const lengthBytes = this.#lengthOf(block)
      if (last && last.offsetBytes + last.lengthBytes === offsetBytes) {
        extents[extents.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes }
      } else if (extents.length === limit) break
      else extents.push({ offsetBytes, lengthBytes })
    }
    return extents
  }

  /** Adds bytes of the volume, each of them once. */
  async add(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    const size = this.blockSizeBytes
    const endBytes = offsetBytes + bytes.length
    const firstWhole = Math.ceil(offsetBytes / size)
    // The volume's last block may be short, and is whole all the same.
    const endWhole =
      endBytes === this.#volumeSizeBytes ? Math.ceil(endBytes / size) : Math.floor(endBytes / size)
    if (firstWhole >= endWhole) {
      this.#addPartial(bytes, offsetBytes)
      return
    }
    const wholeStart = firstWhole * size
    const wholeEnd = Math.min(endBytes, endWhole * size)
    if (wholeStart > offsetBytes) this.#addPartial(bytes.subarray(0, wholeStart - offsetBytes), offsetBytes)
    await this.#checkWhole(bytes.subarray(wholeStart - offsetBytes, wholeEnd - offsetBytes), firstWhole)
    if (endBytes > wholeEnd) this.#addPartial(bytes.subarray(wholeEnd - offsetBytes), wholeEnd)
  }

  /** Adds a place where nothing is stored. */
  async addZeros(extent: VolumeExtent, signal?: AbortSignal): Promise<void> {
    const size = this.blockSizeBytes
    const zeros = new Uint8Array(Math.min(size, this.#volumeSizeBytes))
    const zeroHash = sha256(zeros)
    const endBytes = extent.offsetBytes + extent.lengthBytes
    for (let at = extent.offsetBytes; at < endBytes;) {
      const block = Math.floor(at / size)
      const end = Math.min(endBytes, (block + 1) * size)
      if (block % ZEROS_IN_TURN === 0) {
        throwIfAborted(signal, 'The verification')
        await new Promise(setImmediate)
      }
      if (end - at === size) this.#compare(block, zeroHash, 0)
      else await this.add(zeros.subarray(0, end - at), at)
      at = end
    }
  }

  async #checkWhole(bytes: Uint8Array, firstBlock: number): Promise<void> {
    const { sha256s } = await hashChunk({ parts: [bytes], blockSizeBytes: this.blockSizeBytes, md5: false })
    if (!sha256s) return
    for (let index = 0; index * 32 < sha256s.length; index += 1)
      this.#compare(firstBlock + index, sha256s, index * 32)
  }

  #addPartial(bytes: Uint8Array, offsetBytes: number): void {
    const size = this.blockSizeBytes
    let at = 0
    while (at < bytes.length) {
      const block = Math.floor((offsetBytes + at) / size)
      const start = offsetBytes + at - block * size
      const length = Math.min(bytes.length - at, size - start)
      const blockLength = this.#lengthOf(block)
      const partial = this.#partial.get(block) ?? {
        bytes: new Uint8Array(blockLength),
        missingBytes: blockLength,
      }
      partial.bytes.set(bytes.subarray(at, at + length), start)
      partial.missingBytes -= length
      if (partial.missingBytes > 0) this.#partial.set(block, partial)
      else {
        this.#partial.delete(block)
        this.#compare(block, sha256(partial.bytes), 0)
      }
      at += length
    }
  }

  #compare(block: number, packed: Uint8Array, offset: number): void {
    this.#checked += 1
    if (this.#hashes.equals(block, packed, offset)) return
    this.#bad ??= new Uint8Array(Math.ceil(this.#hashes.length / 8))
    this.#bad[block >> 3] = (this.#bad[block >> 3] ?? 0) | (1 << (block & 7))
  }

  #lengthOf(block: number): number {
    return Math.min(this.blockSizeBytes, this.#volumeSizeBytes - block * this.blockSizeBytes)
  }
}

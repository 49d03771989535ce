import { throwIfAborted } from '../errors/backup-error.js'
import type { HashList } from '../format/hash-list.js'
import { hashBuffers, sha256 } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../contracts/volume.js'

interface PartialBlock {
  readonly bytes: Uint8Array
  missingBytes: number
}

/** After so many blocks of zeros the event loop runs other work. */
const BLOCKS_BETWEEN_YIELDS = 65_536

/**
 * Verifies a volume's bytes, added in any order and pieces, against the hashes of its blocks. The objects of Cinder and Stowage
 * begin and end at blocks, so that nearly all bytes are hashed without a copy; a block of several pieces is assembled first.
 */
export class BlockCheck {
  readonly #hashes: HashList
  readonly blockSizeBytes: number
  readonly #volumeSizeBytes: number
  readonly #partial = new Map<number, PartialBlock>()
  /** One bit per block; allocated for the first bad one. */
  #bad: Uint8Array | undefined
  #checked = 0

  /** @param volumeSizeBytes - has as many blocks as there are hashes */
  constructor(hashes: HashList, blockSizeBytes: number, volumeSizeBytes: number) {
    this.#hashes = hashes
    this.blockSizeBytes = blockSizeBytes
    this.#volumeSizeBytes = volumeSizeBytes
  }

  get blocksChecked(): number {
    return this.#checked
  }

  /** The runs of blocks whose bytes have another hash, in ascending order: the first `limit` of them. */
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
    // The volume's last block may be short, and is complete all the same.
    const isLast = offsetBytes + bytes.length === this.#volumeSizeBytes
    for (let at = 0; at < bytes.length;) {
      const block = Math.floor((offsetBytes + at) / size)
      const start = offsetBytes + at - block * size
      const rest = bytes.length - at
      const completeBytes = start > 0 ? 0 : isLast ? rest : rest - (rest % size)
      const part = bytes.subarray(at, at + (completeBytes || this.#lengthOf(block) - start))
      if (completeBytes > 0) await this.#checkComplete(part, block)
      else this.#addPartial(part, block, start)
      at += part.length
    }
  }

  /** Adds an extent of zeros. */
  async addZeros(extent: VolumeExtent, signal?: AbortSignal): Promise<void> {
    const size = this.blockSizeBytes
    const zeros = new Uint8Array(Math.min(size, this.#volumeSizeBytes))
    const zeroHash = sha256(zeros)
    const endBytes = extent.offsetBytes + extent.lengthBytes
    for (let at = extent.offsetBytes; at < endBytes;) {
      const block = Math.floor(at / size)
      const end = Math.min(endBytes, (block + 1) * size)
      if (block % BLOCKS_BETWEEN_YIELDS === 0) {
        throwIfAborted(signal, 'The verification')
        await new Promise(setImmediate)
      }
      if (end - at === size) this.#compare(block, zeroHash, 0)
      else await this.add(zeros.subarray(0, end - at), at)
      at = end
    }
  }

  async #checkComplete(bytes: Uint8Array, firstBlock: number): Promise<void> {
    const { sha256s } = await hashBuffers({ parts: [bytes], blockSizeBytes: this.blockSizeBytes, md5: false })
    if (!sha256s) return
    for (let index = 0; index * 32 < sha256s.length; index += 1)
      this.#compare(firstBlock + index, sha256s, index * 32)
  }

  #addPartial(part: Uint8Array, block: number, start: number): void {
    const length = this.#lengthOf(block)
    const partial = this.#partial.get(block) ?? { bytes: new Uint8Array(length), missingBytes: length }
    partial.bytes.set(part, start)
    partial.missingBytes -= part.length
    this.#partial.set(block, partial)
    if (partial.missingBytes > 0) return
    this.#partial.delete(block)
    this.#compare(block, sha256(partial.bytes), 0)
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

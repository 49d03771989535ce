import type { Chain, ChainLayer } from '../chain/chain.js'
import { readHashList, type MeasuredVolume } from '../chain/measure-volume.js'
import type { BlockHashes } from '../chain/volume-size.js'
import { shownParts, type VisibleObject } from '../chain/extent-map.js'
import { signalOptions, type ObjectStore } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { WarningListener } from '../contracts/progress.js'
import type { VolumeExtent } from '../contracts/volume.js'
import { withReader } from '../store/objects.js'
import type { ObjectSource } from './object-source.js'

/** What one request costs a store, in bytes that it could have sent: less than this is not worth leaving out. */
const WORTHWHILE_BYTES = 1024 * 1024

/** Hidden bytes between two ranges that are read with them, to save a request. */
const MOST_GAP_BYTES = 256 * 1024

/** Cinder's default, and ours. */
const USUAL_BLOCK_SIZE_BYTES = 32 * 1024

/** What a hash takes in a `_sha256file`, with its quotes and white space. */
const HASH_TEXT_BYTES = 75

/**
 * The parts of an object that are worth reading alone: whole blocks around what is visible of it. None where most of it
 * is visible, or where it is stored in another form.
 */
export function rangesOf(item: VisibleObject, blockSizeBytes: number): VolumeExtent[] | undefined {
  const { object, visible } = item
  if (object.compression !== 'none') return undefined
  const objectEnd = object.offsetBytes + object.lengthBytes
  const ranges = wholeBlocks(visible, blockSizeBytes, MOST_GAP_BYTES).map((blocks) => {
    const offsetBytes = Math.max(object.offsetBytes, blocks.offsetBytes)
    return {
      offsetBytes,
      lengthBytes: Math.min(objectEnd, blocks.offsetBytes + blocks.lengthBytes) - offsetBytes,
    }
  })
  const savedBytes = object.lengthBytes - totalBytes(ranges)
  return savedBytes >= WORTHWHILE_BYTES * ranges.length ? ranges : undefined
}

/** The whole blocks that extents lie in; those that meet, or are no further apart than the gap, become one. */
export function wholeBlocks(
  extents: readonly VolumeExtent[],
  blockSizeBytes: number,
  mostGapBytes = 0,
): VolumeExtent[] {
  const blocks: VolumeExtent[] = []
  for (const { offsetBytes, lengthBytes } of extents) {
    const start = Math.floor(offsetBytes / blockSizeBytes) * blockSizeBytes
    const end = Math.ceil((offsetBytes + lengthBytes) / blockSizeBytes) * blockSizeBytes
    const last = blocks.at(-1)
    if (last && start - (last.offsetBytes + last.lengthBytes) <= mostGapBytes)
      blocks[blocks.length - 1] = { offsetBytes: last.offsetBytes, lengthBytes: end - last.offsetBytes }
    else blocks.push({ offsetBytes: start, lengthBytes: end - start })
  }
  return blocks
}

/** How much some extents are together. */
export function totalBytes(extents: readonly VolumeExtent[]): number {
  return extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
}

/**
 * The block hashes of the newest backup, which prove parts of objects that cannot be held against an MD5: what is visible
 * of any layer is what the volume held when the newest backup was made.
 */
export class BlockProof {
  readonly #blocks: BlockHashes

  constructor(blocks: BlockHashes) {
    this.#blocks = blocks
  }

  get blockSizeBytes(): number {
    return this.#blocks.header.blockSizeBytes
  }

  /** Whether some bytes of the volume, from the start of a block on, are those that were hashed. */
  async holds(bytes: Uint8Array, offsetBytes: number): Promise<boolean> {
    const { blockSizeBytes } = this
    const { hashes } = this.#blocks
    const firstBlock = offsetBytes / blockSizeBytes
    if (!Number.isInteger(firstBlock)) return false
    const { sha256s } = await hashChunk({ parts: [bytes], blockSizeBytes, md5: false })
    const count = (sha256s ?? bytes).length / 32
    if (sha256s === null || firstBlock + count > hashes.length) return false
    for (let index = 0; index < count; index += 1) {
      if (!hashes.equals(firstBlock + index, sha256s, index * 32)) return false
    }
    return true
  }
}

/** What the proof of a restore is made from. */
export interface ProofSources {
  readonly store: ObjectStore
  readonly chain: Chain
  readonly items: readonly VisibleObject[]
  readonly volume: MeasuredVolume
  readonly signal: AbortSignal | undefined
  readonly onWarning: WarningListener
}

/**
 * The hashes, where the store reads parts of objects: those that are known already, or read where they save more than
 * they cost. Without them, or where they are not those of the volume (a warning), objects are fetched whole: nothing
 * depends on them.
 */
export async function loadBlockProof(sources: ProofSources): Promise<BlockProof | undefined> {
  const { store, chain, items, volume, signal, onWarning } = sources
  if (store.capabilities.rangedReads !== true || volume.listUnusable) return undefined
  if (volume.blocks) return new BlockProof(volume.blocks)
  // The block size is in the file that is not read yet.
  const savedBytes = items.reduce((sum, item) => {
    const ranges = rangesOf(item, USUAL_BLOCK_SIZE_BYTES)
    return ranges ? sum + item.object.lengthBytes - totalBytes(ranges) : sum
  }, 0)
  const costBytes = (volume.sizeBytes / USUAL_BLOCK_SIZE_BYTES) * HASH_TEXT_BYTES
  // Parsing a byte of JSON costs a few times what fetching one does.
  if (savedBytes < 4 * costBytes + WORTHWHILE_BYTES) return undefined
  try {
    const { blocks } = await readHashList(store, chain, { ...signalOptions(signal), onWarning })
    return blocks && new BlockProof(blocks)
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'METADATA_INVALID')) throw error
    return undefined
  }
}

/** A part of an object, read and proved where it is visible. */
export interface FetchedRange {
  readonly bytes: Uint8Array
  /** Within the volume. */
  readonly offsetBytes: number
}

/**
 * Reads parts of an object and holds what is visible of them against the hashes of its blocks. Undefined where that does
 * not prove them, whatever the reason: the object is then to be fetched whole, and held against its MD5.
 *
 * @param ranges - as `rangesOf` gives them
 * @param buffer - holds the ranges, one behind the other
 */
export async function fetchRanges(
  source: ObjectSource,
  layer: ChainLayer,
  { object, visible }: VisibleObject,
  ranges: readonly VolumeExtent[],
  proof: BlockProof,
  { buffer, signal }: { readonly buffer: Uint8Array; readonly signal: AbortSignal },
): Promise<FetchedRange[] | undefined> {
  const { extraMetadata } = layer.metadata
  const place = { signal, extraMetadata }
  const read = withReader(source.store, layer.record.container, object.name, place, async (reader) => {
    if (!reader.readRange) return undefined
    const proved = wholeBlocks(visible, proof.blockSizeBytes)
    const fetched: FetchedRange[] = []
    let usedBytes = 0
    for (const { offsetBytes, lengthBytes } of ranges) {
      const memory = buffer.subarray(usedBytes, usedBytes + lengthBytes)
      usedBytes += lengthBytes
      const options = { signal, buffer: memory, checkedByCaller: true }
      const bytes = await reader.readRange(offsetBytes - object.offsetBytes, lengthBytes, options)
      if (bytes.length !== lengthBytes) return undefined
      const shared = bytes.buffer === buffer.buffer ? bytes : copyInto(memory, bytes)
      for (const part of shownParts(shared, offsetBytes, proved)) {
        if (!(await proof.holds(part.bytes, part.offsetBytes))) return undefined
      }
      fetched.push({ bytes: shared, offsetBytes })
    }
    return fetched
  })
  return read.catch((error: unknown) => {
    // The store sees damage itself: whether the whole object is damaged is for its MD5 to say.
    if (isBackupError(error, 'OBJECT_CORRUPT')) return undefined
    throw error
  })
}

function copyInto(memory: Uint8Array, bytes: Uint8Array): Uint8Array {
  memory.set(bytes)
  return memory
}

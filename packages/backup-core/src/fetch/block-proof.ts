import { readBlockHashes, type BlockHashes } from '../chain/volume-size.js'
import type { VisibleObject } from '../chain/extent-map.js'
import type { ChainLayer } from '../chain/chain-layer.js'
import { signalOptions } from '../driver/signal-options.js'
import type { ObjectStore } from '../driver/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../volume/volume.js'

/** What one request costs a store, in bytes that it could have sent: less than this is not worth leaving out. */
const WORTHWHILE_BYTES = 1024 * 1024

/** Hidden bytes between two ranges that are read with them, to save a request. */
const MOST_GAP_BYTES = 256 * 1024

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
  const ranges: { offsetBytes: number; lengthBytes: number }[] = []
  let wantedBytes = 0
  for (const { offsetBytes, lengthBytes } of visible) {
    const start = Math.max(object.offsetBytes, Math.floor(offsetBytes / blockSizeBytes) * blockSizeBytes)
    const end = Math.min(objectEnd, Math.ceil((offsetBytes + lengthBytes) / blockSizeBytes) * blockSizeBytes)
    const last = ranges.at(-1)
    const lastEnd = last ? last.offsetBytes + last.lengthBytes : 0
    if (last && start - lastEnd <= MOST_GAP_BYTES)
      last.lengthBytes = Math.max(lastEnd, end) - last.offsetBytes
    else ranges.push({ offsetBytes: start, lengthBytes: end - start })
  }
  for (const { lengthBytes } of ranges) wantedBytes += lengthBytes
  const savedBytes = object.lengthBytes - wantedBytes
  return savedBytes >= WORTHWHILE_BYTES * ranges.length ? ranges : undefined
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

/**
 * Reads the hashes where they save more than they cost. Without them, or where they cannot be read, objects are fetched
 * whole: nothing depends on them.
 */
export async function loadBlockProof(
  store: ObjectStore,
  newest: ChainLayer,
  items: readonly VisibleObject[],
  volumeSizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<BlockProof | undefined> {
  if (
    store.capabilities.rangedReads !== true ||
    items.every(({ visible, object }) => isWhole(visible, object))
  )
    return undefined
  // The block size is in the file that is not read yet: the least that anyone uses costs the most.
  const guessedBlockSizeBytes = 32 * 1024
  let savedBytes = 0
  for (const item of items) {
    const ranges = rangesOf(item, guessedBlockSizeBytes)
    if (!ranges) continue
    savedBytes += ranges.reduce((left, { lengthBytes }) => left - lengthBytes, item.object.lengthBytes)
  }
  const costBytes = (volumeSizeBytes / guessedBlockSizeBytes) * HASH_TEXT_BYTES
  // Parsing a byte of JSON costs a few times what fetching one does.
  if (savedBytes < 4 * costBytes + WORTHWHILE_BYTES) return undefined
  try {
    return new BlockProof(await readBlockHashes(store, newest.record, signalOptions(signal)))
  } catch (error) {
    if (isBackupError(error, 'ABORTED')) throw error
    return undefined
  }
}

function isWhole(visible: readonly VolumeExtent[], object: VisibleObject['object']): boolean {
  return visible.length === 1 && visible[0]?.lengthBytes === object.lengthBytes
}

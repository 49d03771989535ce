import { HASH_LINE_BYTES, type Sha256file } from '../format/sha256file.js'
import { appendExtent, visibleParts, type VolumeBytes, type VisibleObject } from '../chain/extent-map.js'
import { readVolumeInfoOrWarn, type VolumeInfo } from '../chain/block-hashes.js'
import type { VolumeExtent } from '../contracts/volume.js'
import { isBackupError } from '../errors/backup-error.js'
import { hashParts } from '../hash/chunk-hasher.js'
import type { ChainJob, ObjectFetch } from './fetch-object.js'

/** What one request costs a store, in bytes that it could have sent: leaving out less than this is not worth it. */
const MIN_SAVED_BY_RANGE_BYTES = 1024 * 1024

/** Hidden bytes between two ranges up to this are read with them, to save a request. */
const MAX_HIDDEN_BYTES = 256 * 1024

/** Cinder's default, and ours. */
const USUAL_BLOCK_SIZE_BYTES = 32 * 1024

/**
 * The parts of an object that are worth reading alone: whole blocks around its visible bytes. Undefined where most of it is
 * visible, or where it is compressed.
 */
export function rangesOf(
  { object, visible }: VisibleObject,
  blockSizeBytes: number,
): VolumeExtent[] | undefined {
  if (object.compression !== 'none') return undefined
  const objectEnd = object.offsetBytes + object.lengthBytes
  const ranges = wholeBlocks(visible, blockSizeBytes, MAX_HIDDEN_BYTES).map((blocks) => {
    const offsetBytes = Math.max(object.offsetBytes, blocks.offsetBytes)
    const endBytes = Math.min(objectEnd, blocks.offsetBytes + blocks.lengthBytes)
    return { offsetBytes, lengthBytes: endBytes - offsetBytes }
  })
  const savedBytes = object.lengthBytes - totalBytes(ranges)
  return savedBytes >= MIN_SAVED_BY_RANGE_BYTES * ranges.length ? ranges : undefined
}

/** The whole blocks around extents; those that are at most `maxHiddenBytes` apart become one. */
function wholeBlocks(
  extents: readonly VolumeExtent[],
  blockSizeBytes: number,
  maxHiddenBytes = 0,
): VolumeExtent[] {
  const blocks: VolumeExtent[] = []
  for (const { offsetBytes, lengthBytes } of extents) {
    const start = Math.floor(offsetBytes / blockSizeBytes) * blockSizeBytes
    const end = Math.ceil((offsetBytes + lengthBytes) / blockSizeBytes) * blockSizeBytes
    appendExtent(blocks, start, end, maxHiddenBytes)
  }
  return blocks
}

/** The sum of the lengths of extents. */
export function totalBytes(extents: readonly VolumeExtent[]): number {
  return extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
}

/** Whether some bytes of the volume, from the start of a block on, have the hashes of their blocks. */
async function matchBlockHashes(
  { header, hashes }: Sha256file,
  { bytes, offsetBytes }: VolumeBytes,
): Promise<boolean> {
  const { blockSizeBytes } = header
  const firstBlock = offsetBytes / blockSizeBytes
  if (!Number.isInteger(firstBlock)) return false
  const { sha256s } = await hashParts({ parts: [bytes], blockSizeBytes, md5: false })
  if (sha256s === null) return false
  const count = sha256s.length / 32
  if (firstBlock + count > hashes.length) return false
  for (let index = 0; index < count; index += 1) {
    if (!hashes.equals(firstBlock + index, sha256s, index * 32)) return false
  }
  return true
}

/** The block hashes of the newest backup of a chain, or why they cannot be used; neither where they were not read. */
export type BlockHashes = Pick<VolumeInfo, 'sha256file' | 'fault'>

/**
 * Returns the newest backup's block hashes, which verify ranges of an object; its MD5 verifies only the whole object. The
 * visible bytes of any layer are those of the volume when the newest backup was made.
 *
 * They are those of the measured volume, or read where they save more than they cost. Where the store reads no ranges, there
 * are none, and where the hashes are damaged there is a `fault`, and a warning: objects are fetched whole.
 */
export async function loadBlockHashes(
  job: ChainJob,
  items: readonly VisibleObject[],
  volume: VolumeInfo,
): Promise<BlockHashes> {
  if (job.access.store.capabilities.rangedReads !== true || volume.fault || volume.sha256file) return volume
  // The block size is in the object that is not read yet.
  const savedBytes = items.reduce((sum, item) => {
    const ranges = rangesOf(item, USUAL_BLOCK_SIZE_BYTES)
    return ranges ? sum + item.object.lengthBytes - totalBytes(ranges) : sum
  }, 0)
  const costBytes = (volume.sizeBytes / USUAL_BLOCK_SIZE_BYTES) * HASH_LINE_BYTES
  // Parsing a byte of JSON costs a few times what fetching one does.
  if (savedBytes < 4 * costBytes + MIN_SAVED_BY_RANGE_BYTES) return {}
  try {
    return await readVolumeInfoOrWarn(job)
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'METADATA_INVALID')) throw error
    return {}
  }
}

/**
 * Reads ranges of an object and verifies the visible blocks against their hashes. Undefined where they do not match, or cannot
 * be read: the object is then fetched whole, and verified against its MD5.
 *
 * @param ranges - from {@link rangesOf}
 * @param buffer - holds the ranges, one after the other
 * @returns the ranges, with their offsets in the volume
 */
export async function fetchRanges(
  fetch: ObjectFetch,
  { object, visible }: VisibleObject,
  ranges: readonly VolumeExtent[],
  blockHashes: Sha256file,
  buffer: Uint8Array,
): Promise<VolumeBytes[] | undefined> {
  const read = fetch.open(async (reader) => {
    if (!reader.readRange) return undefined
    const blocks = wholeBlocks(visible, blockHashes.header.blockSizeBytes)
    const fetched: VolumeBytes[] = []
    let usedBytes = 0
    for (const { offsetBytes, lengthBytes } of ranges) {
      const memory = buffer.subarray(usedBytes, usedBytes + lengthBytes)
      usedBytes += lengthBytes
      const into = { signal: fetch.context.signal, buffer: memory, checkedByCaller: true }
      const range = await reader.readRange(offsetBytes - object.offsetBytes, lengthBytes, into)
      if (range.length !== lengthBytes) return undefined
      const isInBuffer = range.buffer === memory.buffer
      if (!isInBuffer) memory.set(range)
      const bytes = isInBuffer ? range : memory
      for (const part of visibleParts(bytes, offsetBytes, blocks))
        if (!(await matchBlockHashes(blockHashes, part))) return undefined
      fetched.push({ bytes, offsetBytes })
    }
    return fetched
  })
  return read.catch((error: unknown) => {
    // The store noticed damage itself: whether the whole object is damaged is for its MD5 to decide.
    if (isBackupError(error, 'OBJECT_CORRUPT')) return undefined
    throw error
  })
}

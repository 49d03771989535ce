import type { ChainLayer } from '../chain/chain-layer.js'
import type { VisibleObject } from '../chain/extent-map.js'
import { shownParts } from '../chain/shown-parts.js'
import { isBackupError } from '../errors/backup-error.js'
import { withReader } from '../store/read-object.js'
import type { VolumeExtent } from '../volume/volume.js'
import { wholeBlocks, type BlockProof } from './block-proof.js'
import type { ObjectSource } from './object-source.js'

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

import { throwIfAborted } from '../errors/abort.js'
import type { ExtentMap, VisibleObject } from '../chain/extent-map.js'
import type { StoredObject } from '../format/metadata.js'
import { md5OfZeros } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../contracts/volume.js'

/** Less than this is fetched as fast as the MD5 of so many zeros is found out. */
const WORTHWHILE_BYTES = 64 * 1024

/**
 * The most zeros whose MD5 is found out for one restore: some ten seconds. Lengths are what a manifest says, and take time
 * and memory before anything shows that so much was ever stored. Sparse volumes have one or two of them.
 */
const MAX_HASHED_BYTES = 8 * 1024 ** 3

/** What of an extent map has to be fetched, and what need not be. */
export interface MapWithoutZeros {
  readonly objects: readonly VisibleObject[]
  /** What the other objects show, all of it zeros. */
  readonly zeros: readonly VolumeExtent[]
}

/**
 * Leaves out the objects whose MD5 is that of zeros: what they would be held against is known to be what they hold, so
 * that the zeros are as well proved as bytes that were fetched. A sparse volume is mostly made of them.
 *
 * Zeros are found by an MD5 that occurs twice: one alone would cost as much as it saves.
 */
export async function withoutZeroObjects(map: ExtentMap, signal?: AbortSignal): Promise<MapWithoutZeros> {
  const md5s = await zeroMd5s(
    map.objects.map(({ object }) => object),
    signal,
  )
  const objects: VisibleObject[] = []
  const zeros: VolumeExtent[] = []
  for (const item of map.objects) {
    const { md5, lengthBytes } = item.object
    if (md5 !== null && md5s.get(lengthBytes) === md5) zeros.push(...item.visible)
    else objects.push(item)
  }
  return { objects, zeros }
}

/** The MD5 of zeros, by their length, for the lengths at which some objects are the same. */
async function zeroMd5s(
  objects: readonly StoredObject[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  const seen = new Set<string>()
  const lengths = new Set<number>()
  for (const { lengthBytes, md5 } of objects) {
    if (md5 === null || lengthBytes < WORTHWHILE_BYTES) continue
    const key = `${lengthBytes} ${md5}`
    if (seen.has(key)) lengths.add(lengthBytes)
    seen.add(key)
  }
  const found = new Map<number, string>()
  let hashedBytes = 0
  for (const lengthBytes of [...lengths].sort((a, b) => a - b)) {
    hashedBytes += lengthBytes
    if (hashedBytes > MAX_HASHED_BYTES) break
    throwIfAborted(signal, 'The restore')
    found.set(lengthBytes, await md5OfZeros(lengthBytes))
  }
  return found
}

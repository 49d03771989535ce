import { throwIfAborted } from '../errors/abort.js'
import type { ExtentMap, VisibleObject } from '../chain/extent-map.js'
import { md5OfZeros } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../contracts/volume.js'

/** Fetching fewer bytes than this is as fast as computing the MD5 of so many zeros. */
const WORTHWHILE_BYTES = 64 * 1024

/**
 * The maximum number of zeros that are hashed for one restore: about ten seconds. The lengths come from a manifest, which may
 * state any number. Sparse volumes have one or two lengths.
 */
const MAX_HASHED_BYTES = 8 * 1024 ** 3

/** The objects of an extent map that must be fetched, and the extents that are known to be zeros. */
export interface MapWithoutZeros {
  readonly objects: readonly VisibleObject[]
  readonly zeros: readonly VolumeExtent[]
}

/**
 * Leaves out the objects whose MD5 is that of zeros: their bytes are proved by that MD5 as if they had been fetched. A sparse
 * volume mostly consists of them.
 *
 * Only an MD5 that occurs twice is compared: hashing zeros for one object costs as much as fetching it.
 */
export async function withoutZeroObjects(map: ExtentMap, signal?: AbortSignal): Promise<MapWithoutZeros> {
  const seen = new Set<string>()
  const repeatedLengths = new Set<number>()
  for (const { lengthBytes, md5 } of map.objects.map(({ object }) => object)) {
    if (md5 === null || lengthBytes < WORTHWHILE_BYTES) continue
    const key = `${lengthBytes} ${md5}`
    if (seen.has(key)) repeatedLengths.add(lengthBytes)
    seen.add(key)
  }
  const zeroMd5s = new Map<number, string>()
  let hashedBytes = 0
  for (const lengthBytes of [...repeatedLengths].sort((a, b) => a - b)) {
    hashedBytes += lengthBytes
    if (hashedBytes > MAX_HASHED_BYTES) break
    throwIfAborted(signal, 'The restore')
    zeroMd5s.set(lengthBytes, await md5OfZeros(lengthBytes))
  }
  const isZeros = ({ object }: VisibleObject): boolean =>
    object.md5 !== null && zeroMd5s.get(object.lengthBytes) === object.md5
  return {
    objects: map.objects.filter((item) => !isZeros(item)),
    zeros: map.objects.filter(isZeros).flatMap(({ visible }) => visible),
  }
}

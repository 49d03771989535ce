import {
  inSlices,
  visibleParts,
  type ExtentMap,
  type VolumeBytes,
  type VisibleObject,
} from '../chain/extent-map.js'
import type { StoreOptions } from '../contracts/object-store.js'
import type { OpenTarget, VolumeExtent } from '../contracts/volume.js'
import { throwIfAborted } from '../errors/backup-error.js'
import { isAllZeros } from '../volume/zeros.js'
import { md5OfZeros } from '../hash/chunk-hasher.js'

/** The size of holes: a multiple of every file system's block, small enough to find most zeros. */
const HOLE_BYTES = 32 * 1024

/** The maximum number of zeros of one write. */
const ZEROS_BYTES = 1024 * 1024

/** Writes extents of a volume to a target, and counts what was done with their bytes. */
export class ExtentWriter {
  /** Bytes that were written, and that were left as holes or zeros. */
  readonly counts = { writtenBytes: 0, sparseBytes: 0 }

  /** @param sparse - leaves holes for zeros where the target reads as zeros */
  constructor(
    private readonly target: OpenTarget,
    private readonly sparse: boolean,
  ) {}

  /**
   * Writes the parts of some bytes that are within the extents. A hole may be left for zeros, since the newest layer wins
   * before anything is written: no older data can be beneath them.
   */
  async writeBytes(
    { bytes, offsetBytes }: VolumeBytes,
    extents: readonly VolumeExtent[],
    onWritten: (lengthBytes: number) => void,
  ): Promise<void> {
    const isSparse = this.sparse && this.target.readsAsZeros
    for (const part of visibleParts(bytes, offsetBytes, extents)) {
      for (const step of inSlices(part, HOLE_BYTES)) {
        let writtenBytes = 0
        for (const run of isSparse ? dataRuns(step) : [step]) {
          await this.target.write(run.bytes, run.offsetBytes)
          writtenBytes += run.bytes.length
        }
        this.counts.writtenBytes += writtenBytes
        this.counts.sparseBytes += step.bytes.length - writtenBytes
        onWritten(step.bytes.length)
      }
    }
  }

  /**
   * Writes zeros where the target holds something else.
   *
   * @param isUncovered - whether no object has the extent: it is never written where the target reads as zeros
   */
  async writeZeros(
    { offsetBytes, lengthBytes }: VolumeExtent,
    isUncovered: boolean,
    options: StoreOptions,
  ): Promise<void> {
    if (this.target.readsAsZeros && (isUncovered || this.sparse)) {
      this.counts.sparseBytes += lengthBytes
      return
    }
    const zeros = new Uint8Array(Math.min(ZEROS_BYTES, lengthBytes))
    for (let done = 0; done < lengthBytes; done += zeros.length) {
      throwIfAborted(options.signal, 'The restore')
      await this.target.write(zeros.subarray(0, lengthBytes - done), offsetBytes + done)
    }
    this.counts.writtenBytes += lengthBytes
  }
}

/** The runs of blocks that are not all zeros. Blocks are aligned to the volume, as the target's own are. */
function* dataRuns({ bytes, offsetBytes }: VolumeBytes): Generator<VolumeBytes> {
  let start = 0
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + HOLE_BYTES - ((offsetBytes + at) % HOLE_BYTES))
    if (isAllZeros(bytes.subarray(at, end))) {
      if (at > start) yield { bytes: bytes.subarray(start, at), offsetBytes: offsetBytes + start }
      start = end
    }
    at = end
  }
  if (bytes.length > start) yield { bytes: bytes.subarray(start), offsetBytes: offsetBytes + start }
}

/** Fetching fewer bytes than this is as fast as computing the MD5 of so many zeros. */
const MIN_ZEROS_BYTES = 64 * 1024

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
    if (md5 === null || lengthBytes < MIN_ZEROS_BYTES) continue
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

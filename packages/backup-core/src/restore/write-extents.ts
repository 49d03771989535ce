import { inSteps, shownParts, type ShownPart } from '../chain/extent-map.js'
import type { OpenTarget, VolumeExtent } from '../contracts/volume.js'
import { throwIfAborted } from '../errors/abort.js'
import { isAllZeros } from '../volume/zeros.js'

/** What was done with the bytes of some extents. */
export interface WriteCounts {
  writtenBytes: number
  sparseBytes: number
}

/** How {@link writeExtents} writes. */
export interface WriteOptions {
  /** Leaves holes for zeros where the target reads as zeros. */
  readonly sparse: boolean
  readonly onWritten: (lengthBytes: number) => void
  readonly counts: WriteCounts
}

/** The size of holes: a multiple of every file system's block, small enough to find most zeros. */
const HOLE_BYTES = 32 * 1024

/** The maximum number of zeros of one write. */
const ZEROS_BYTES = 1024 * 1024

/**
 * Writes the parts of some bytes that are within the extents. A hole may be left for zeros, since the newest layer wins before
 * anything is written: no older data can be beneath them.
 */
export async function writeExtents(
  target: OpenTarget,
  { bytes, offsetBytes }: ShownPart,
  extents: readonly VolumeExtent[],
  { sparse, onWritten, counts }: WriteOptions,
): Promise<void> {
  const isSparse = sparse && target.readsAsZeros
  for (const part of shownParts(bytes, offsetBytes, extents)) {
    for (const step of inSteps(part, HOLE_BYTES)) {
      for (const run of isSparse ? dataRuns(step) : [step]) {
        await target.write(run.bytes, run.offsetBytes)
        counts.writtenBytes += run.bytes.length
        counts.sparseBytes -= run.bytes.length
      }
      counts.sparseBytes += step.bytes.length
      onWritten(step.bytes.length)
    }
  }
}

/** The runs of blocks that are not all zeros. Blocks are aligned to the volume, as the target's own are. */
function* dataRuns({ bytes, offsetBytes }: ShownPart): Generator<ShownPart> {
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

/** Writes zeros where the target holds something else. */
export async function writeZeros(
  target: OpenTarget,
  extent: VolumeExtent,
  signal: AbortSignal | undefined,
): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZEROS_BYTES, extent.lengthBytes))
  for (let done = 0; done < extent.lengthBytes; done += zeros.length) {
    throwIfAborted(signal, 'The restore')
    const length = Math.min(zeros.length, extent.lengthBytes - done)
    await target.write(zeros.subarray(0, length), extent.offsetBytes + done)
  }
}

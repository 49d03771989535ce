import { throwIfAborted } from '../errors/abort.js'
import { inSteps, shownParts } from '../chain/extent-map.js'
import type { OpenTarget, VolumeExtent } from '../contracts/volume.js'
import { isAllZeros } from '../volume/zeros.js'

/** What was done with the bytes of some extents. */
export interface WriteCounts {
  writtenBytes: number
  sparseBytes: number
}

/** The grain of holes: a multiple of every file system's block, small enough to find most zeros. */
const HOLE_BYTES = 32 * 1024

/** The most zeros that are written at once. */
const ZEROS_BYTES = 1024 * 1024

/**
 * Writes what `extents` shows of some bytes of an object, which begin at `offsetBytes` of the volume. Where the target reads as zeros and `sparse` is wanted, runs of zeros are left
 * as they are: since the newest layer wins before anything is written, no older data can be left beneath them.
 */
export async function writeExtents(
  target: OpenTarget,
  { bytes, offsetBytes }: { readonly bytes: Uint8Array; readonly offsetBytes: number },
  extents: readonly VolumeExtent[],
  sparse: boolean,
  onWritten: (lengthBytes: number) => void,
): Promise<WriteCounts> {
  const counts: WriteCounts = { writtenBytes: 0, sparseBytes: 0 }
  for (const part of shownParts(bytes, offsetBytes, extents)) {
    for (const step of inSteps(part, HOLE_BYTES)) {
      if (sparse && target.readsAsZeros) await writeWithHoles(target, step.bytes, step.offsetBytes, counts)
      else {
        await target.write(step.bytes, step.offsetBytes)
        counts.writtenBytes += step.bytes.length
      }
      onWritten(step.bytes.length)
    }
  }
  return counts
}

/** Writes zeros, where nothing was ever stored and the target holds something else. */
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

async function writeWithHoles(
  target: OpenTarget,
  bytes: Uint8Array,
  offsetBytes: number,
  counts: WriteCounts,
): Promise<void> {
  let dataStart = -1
  const flush = async (end: number): Promise<void> => {
    if (dataStart < 0) return
    await target.write(bytes.subarray(dataStart, end), offsetBytes + dataStart)
    counts.writtenBytes += end - dataStart
    dataStart = -1
  }
  let at = 0
  while (at < bytes.length) {
    // Grains are aligned to the volume, as the target's own blocks are.
    const end = Math.min(bytes.length, at + HOLE_BYTES - ((offsetBytes + at) % HOLE_BYTES))
    if (isAllZeros(bytes.subarray(at, end))) {
      await flush(at)
      counts.sparseBytes += end - at
    } else if (dataStart < 0) dataStart = at
    at = end
  }
  await flush(bytes.length)
}

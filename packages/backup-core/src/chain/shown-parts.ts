import type { VolumeExtent } from '../volume/volume.js'

/** Bytes, and where in the volume they begin. */
export interface ShownPart {
  readonly bytes: Uint8Array
  readonly offsetBytes: number
}

/** The parts of some bytes that lie within the extents, with their places in the volume. */
export function* shownParts(
  bytes: Uint8Array,
  offsetBytes: number,
  extents: readonly VolumeExtent[],
): Generator<ShownPart> {
  for (const extent of extents) {
    const start = Math.max(offsetBytes, extent.offsetBytes)
    const end = Math.min(offsetBytes + bytes.length, extent.offsetBytes + extent.lengthBytes)
    if (end > start)
      yield { bytes: bytes.subarray(start - offsetBytes, end - offsetBytes), offsetBytes: start }
  }
}

/** The most that is written or checked at once, so that a large object is seen to move, and an abort is heard within it. */
const STEP_BYTES = 8 * 1024 * 1024

/** A part in steps, which end at whole blocks of the volume. */
export function* inSteps({ bytes, offsetBytes }: ShownPart, blockSizeBytes: number): Generator<ShownPart> {
  const stepBytes = Math.max(1, Math.floor(STEP_BYTES / blockSizeBytes)) * blockSizeBytes
  for (let at = 0; at < bytes.length;) {
    const lengthBytes = Math.min(bytes.length - at, stepBytes - ((offsetBytes + at) % stepBytes))
    yield { bytes: bytes.subarray(at, at + lengthBytes), offsetBytes: offsetBytes + at }
    at += lengthBytes
  }
}

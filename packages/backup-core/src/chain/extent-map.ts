import type { VolumeExtent } from '../contracts/volume.js'
import type { StoredObject } from '../format/manifest.js'
import type { ChainLayer } from './chain.js'

/** What the map needs of a layer of a chain. */
interface LayerObjects {
  readonly manifest: { readonly objects: readonly StoredObject[] }
}

/** An object of a chain, and the extents of the volume that no newer object covers. */
export interface VisibleObject<Layer = ChainLayer> {
  readonly layer: Layer
  readonly object: StoredObject
  /** In ascending order, without overlaps, none empty; offsets are the volume's. */
  readonly visible: readonly VolumeExtent[]
}

/** Which objects hold the bytes of a volume. */
export interface ExtentMap<Layer = ChainLayer> {
  /** In ascending order of their first visible byte. */
  readonly objects: readonly VisibleObject<Layer>[]
  /** What no object of the chain covers: zeros. Ascending. */
  readonly uncovered: readonly VolumeExtent[]
}

/**
 * Finds for each byte of `window` the newest object that holds it, so that hidden bytes need not be restored.
 *
 * The ends of all objects cut the window into segments. From the newest object to the oldest, each takes the segments that
 * are still free; `next` skips those that are taken. That is `n log n` for any number of layers and overlaps.
 *
 * @param layers - newest first; within one, later objects win over earlier ones, as Cinder writes them
 * @param window - the part of the volume that is wanted
 */
export function buildExtentMap<Layer extends LayerObjects>(
  layers: readonly Layer[],
  window: VolumeExtent,
): ExtentMap<Layer> {
  const windowEnd = window.offsetBytes + window.lengthBytes
  const candidates: Candidate<Layer>[] = []
  for (const layer of layers) {
    for (const object of layer.manifest.objects.toReversed()) {
      const startBytes = Math.max(window.offsetBytes, object.offsetBytes)
      const endBytes = Math.min(windowEnd, object.offsetBytes + object.lengthBytes)
      if (endBytes > startBytes) candidates.push({ layer, object, startBytes, endBytes, visible: [] })
    }
  }
  const cuts = new Float64Array(2 * candidates.length + 2)
  for (const [index, { startBytes, endBytes }] of candidates.entries()) {
    cuts[2 * index] = startBytes
    cuts[2 * index + 1] = endBytes
  }
  cuts[cuts.length - 2] = window.offsetBytes
  cuts[cuts.length - 1] = windowEnd
  cuts.sort()
  /** Of each segment the number of its candidate, from 1; 0 while it is free. */
  const owners = new Int32Array(cuts.length)
  /** The next segment that may be free. */
  const next = new Int32Array(cuts.length)
  const firstFree = (from: number): number => {
    let at = from
    while (owners[at] !== 0) at = next[at] ?? at
    for (let passed = from; passed < at;) {
      const following = next[passed] ?? at
      next[passed] = at
      passed = following
    }
    return at
  }
  for (const [index, { startBytes, endBytes }] of candidates.entries()) {
    let at = firstFree(firstAtLeast(cuts, startBytes))
    while ((cuts[at] ?? windowEnd) < endBytes) {
      owners[at] = index + 1
      next[at] = at + 1
      at = firstFree(at + 1)
    }
  }
  const objects: VisibleObject<Layer>[] = []
  const uncovered: VolumeExtent[] = []
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const owner = candidates[(owners[at] ?? 0) - 1]
    const startBytes = cuts[at] ?? windowEnd
    const endBytes = cuts[at + 1] ?? windowEnd
    if (endBytes === startBytes) continue
    if (owner?.visible.length === 0) objects.push(owner)
    appendExtent(owner?.visible ?? uncovered, startBytes, endBytes)
  }
  return { objects, uncovered }
}

interface Candidate<Layer> extends VisibleObject<Layer> {
  readonly visible: VolumeExtent[]
  readonly startBytes: number
  readonly endBytes: number
}

function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? value) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Adds an extent after the others. Those that are at most `maxApartBytes` apart become one. */
export function appendExtent(extents: VolumeExtent[], start: number, end: number, maxApartBytes = 0): void {
  const last = extents.at(-1)
  if (last && start - (last.offsetBytes + last.lengthBytes) <= maxApartBytes)
    extents[extents.length - 1] = { offsetBytes: last.offsetBytes, lengthBytes: end - last.offsetBytes }
  else extents.push({ offsetBytes: start, lengthBytes: end - start })
}

/** Bytes, and where in the volume they begin. */
export interface VolumeBytes {
  readonly bytes: Uint8Array
  readonly offsetBytes: number
}

/** The parts of some bytes of the volume that are within the extents. */
export function* visibleParts(
  bytes: Uint8Array,
  offsetBytes: number,
  extents: readonly VolumeExtent[],
): Generator<VolumeBytes> {
  for (const extent of extents) {
    const start = Math.max(offsetBytes, extent.offsetBytes)
    const end = Math.min(offsetBytes + bytes.length, extent.offsetBytes + extent.lengthBytes)
    if (end > start)
      yield { bytes: bytes.subarray(start - offsetBytes, end - offsetBytes), offsetBytes: start }
  }
}

/** The maximum of one write or check, so that progress and aborts do not wait for a whole large object. */
const SLICE_BYTES = 8 * 1024 * 1024

/** Cuts a part into slices, which end at whole blocks of the volume. */
export function* inSlices(
  { bytes, offsetBytes }: VolumeBytes,
  blockSizeBytes: number,
): Generator<VolumeBytes> {
  const stepBytes = Math.max(1, Math.floor(SLICE_BYTES / blockSizeBytes)) * blockSizeBytes
  for (let at = 0; at < bytes.length;) {
    const lengthBytes = Math.min(bytes.length - at, stepBytes - ((offsetBytes + at) % stepBytes))
    yield { bytes: bytes.subarray(at, at + lengthBytes), offsetBytes: offsetBytes + at }
    at += lengthBytes
  }
}

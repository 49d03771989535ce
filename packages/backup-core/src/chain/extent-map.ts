import type { StoredObject } from '../format/metadata.js'
import type { VolumeExtent } from '../contracts/volume.js'

/** An object of a chain, and the places of the volume that no newer object covers. */
export interface VisibleObject {
  /** Which layer of the chain it is of; 0 is the newest. */
  readonly layer: number
  readonly object: StoredObject
  /** In ascending order, without overlaps, none empty; offsets are the volume's. */
  readonly visible: readonly VolumeExtent[]
}

/** What a volume is made of. */
export interface ExtentMap {
  /** In ascending order of their first visible byte. */
  readonly objects: readonly VisibleObject[]
  /** Where no layer ever stored anything: zeros. Ascending. */
  readonly gaps: readonly VolumeExtent[]
}

interface Candidate {
  readonly layer: number
  readonly object: StoredObject
  readonly startBytes: number
  readonly endBytes: number
  /** Higher wins: newer layers over older ones and, within a layer, later entries over earlier, as Cinder writes them. */
  readonly rank: number
  visible: VolumeExtent[] | undefined
}

/**
 * Finds for each byte of `window` the newest object that holds it, so that no byte is fetched twice. A sweep over the
 * objects' starts with a heap of those that are open: `n log n` for any number of layers and overlaps.
 *
 * @param layers - the objects of each backup, newest first
 * @param window - the part of the volume that is wanted; what lies beyond its end is not seen
 */
export function buildExtentMap(
  layers: readonly (readonly StoredObject[])[],
  window: VolumeExtent,
): ExtentMap {
  const windowEnd = window.offsetBytes + window.lengthBytes
  const candidates = collect(layers, window.offsetBytes, windowEnd)
  const order: Candidate[] = []
  const gaps: VolumeExtent[] = []
  const open = new RankHeap()
  let next = 0
  let at = window.offsetBytes

  const show = (candidate: Candidate | undefined, endBytes: number): void => {
    if (endBytes > at) {
      if (!candidate) appendExtent(gaps, at, endBytes)
      else {
        if (!candidate.visible) order.push(candidate)
        candidate.visible ??= []
        appendExtent(candidate.visible, at, endBytes)
      }
    }
    at = endBytes
  }

  while (at < windowEnd) {
    for (
      let following = candidates[next];
      following && following.startBytes <= at;
      following = candidates[next]
    ) {
      open.push(following)
      next += 1
    }
    let top = open.peek()
    while (top && top.endBytes <= at) {
      open.pop()
      top = open.peek()
    }
    const nextStart = candidates[next]?.startBytes ?? windowEnd
    show(top, Math.min(top?.endBytes ?? windowEnd, nextStart))
  }
  const objects = order.map(({ layer, object, visible }) => ({ layer, object, visible: visible ?? [] }))
  return { objects, gaps }
}

function collect(
  layers: readonly (readonly StoredObject[])[],
  windowStart: number,
  windowEnd: number,
): Candidate[] {
  const candidates: Candidate[] = []
  let rank = 0
  for (let layer = layers.length - 1; layer >= 0; layer -= 1) {
    for (const object of layers[layer] ?? []) {
      rank += 1
      const startBytes = Math.max(windowStart, object.offsetBytes)
      const endBytes = Math.min(windowEnd, object.offsetBytes + object.lengthBytes)
      if (endBytes > startBytes)
        candidates.push({ layer, object, startBytes, endBytes, rank, visible: undefined })
    }
  }
  return candidates.sort((a, b) => a.startBytes - b.startBytes)
}

/** Adjacent pieces become one. */
function appendExtent(extents: VolumeExtent[], startBytes: number, endBytes: number): void {
  const last = extents.at(-1)
  if (last && last.offsetBytes + last.lengthBytes === startBytes) {
    extents[extents.length - 1] = { offsetBytes: last.offsetBytes, lengthBytes: endBytes - last.offsetBytes }
  } else extents.push({ offsetBytes: startBytes, lengthBytes: endBytes - startBytes })
}

/** A binary heap, the highest rank on top. */
class RankHeap {
  readonly #items: Candidate[] = []

  peek(): Candidate | undefined {
    return this.#items[0]
  }

  push(candidate: Candidate): void {
    const items = this.#items
    let index = items.push(candidate) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      if (rankAt(items, above) >= candidate.rank) break
      swap(items, above, index)
      index = above
    }
  }

  pop(): void {
    const items = this.#items
    const last = items.pop()
    if (!last || items.length === 0) return
    items[0] = last
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const higher = rankAt(items, left + 1) > rankAt(items, left) ? left + 1 : left
      if (rankAt(items, higher) <= last.rank) return
      swap(items, higher, index)
      index = higher
    }
  }
}

function rankAt(items: readonly Candidate[], index: number): number {
  return items[index]?.rank ?? -1
}

function swap(items: Candidate[], a: number, b: number): void {
  const first = items[a]
  const second = items[b]
  if (first && second) {
    items[a] = second
    items[b] = first
  }
}

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

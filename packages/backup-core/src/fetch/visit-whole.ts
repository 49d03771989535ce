import type { ChainLayer } from '../chain/chain-layer.js'
import type { VisibleObject } from '../chain/extent-map.js'
import type { BudgetShare } from '../pipeline/budget-share.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import { checkMd5, fetchWhole, type FetchedObject } from './fetch-whole.js'
import { wholeBytes, type ObjectSource } from './object-source.js'
import type { FetchSteps, ObjectVisitor } from './object-visitor.js'
import { twice } from './twice.js'

/**
 * Fetches an object whole, twice where the first time fails its check, and hands its bytes to the visitor.
 *
 * Fetching and opening take a slot; checking and writing do not, so that the next object comes while this one is written.
 * The stored form's memory is given back as soon as the object is open. A second attempt starts from nothing: the object
 * gives back all that it holds before it waits for memory again.
 *
 * @param share - holds `wholeBytes` of the object; what is left of it when this ends is the caller's to give back
 */
export async function visitWhole(
  source: ObjectSource,
  layer: ChainLayer,
  item: VisibleObject,
  visitor: ObjectVisitor,
  share: BudgetShare,
  context: PipelineContext,
): Promise<void> {
  const { object } = item
  const raw = new RawBuffer(context, object.lengthBytes)
  const steps = visitor.begin?.(item)
  try {
    const fetched = await twice(source, layer, object, async (again) => {
      if (again) {
        raw.release()
        await share.retake(wholeBytes(object))
      }
      const answer = await fetchInto(source, layer, object, { rawBuffer: raw.take(), again, steps }, context)
      share.keepOnly(object.lengthBytes)
      await checkMd5(layer, object, answer.raw)
      steps?.checked(1, 1)
      return answer
    })
    context.signal.throwIfAborted()
    await visitor.visit(item, fetched.raw, object.offsetBytes)
    visitor.done(item, fetched.storedBytes)
  } finally {
    raw.release()
  }
}

/** One of the times that an object is fetched. */
interface Attempt {
  readonly rawBuffer: Uint8Array
  readonly again: boolean
  readonly steps: FetchSteps | undefined
}

async function fetchInto(
  source: ObjectSource,
  layer: ChainLayer,
  object: VisibleObject['object'],
  { rawBuffer, again, steps }: Attempt,
  { signal, slots, storedBuffers }: PipelineContext,
): Promise<FetchedObject> {
  const isRaw = object.compression === 'none'
  const storedBuffer = isRaw ? rawBuffer : storedBuffers.take(object.lengthBytes)
  try {
    const memory = { rawBuffer, storedBuffer, signal, checkedByStore: again, steps }
    return await slots.run(object.lengthBytes, () => fetchWhole(source, layer, object, memory))
  } finally {
    if (!isRaw) storedBuffers.give(storedBuffer)
  }
}

/** The buffer of an object's bytes, returned to the pool once for each time that it was taken. */
class RawBuffer {
  readonly #pool: PipelineContext['buffers']
  readonly #lengthBytes: number
  #buffer: Uint8Array | undefined

  constructor({ buffers }: PipelineContext, lengthBytes: number) {
    this.#pool = buffers
    this.#lengthBytes = lengthBytes
  }

  take(): Uint8Array {
    return (this.#buffer ??= this.#pool.take(this.#lengthBytes))
  }

  release(): void {
    if (this.#buffer) this.#pool.give(this.#buffer)
    this.#buffer = undefined
  }
}

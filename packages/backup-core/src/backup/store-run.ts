import type { CompressOptions, Compressor } from '../contracts/compressor.js'
import type { ObjectOptions, ObjectStore } from '../contracts/object-store.js'
import type { StoredObject } from '../format/metadata.js'
import { md5Of } from '../hash/chunk-hasher.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import { SMALL_OBJECT_BYTES } from '../pipeline/slots.js'
import type { Portion } from '../pipeline/progress-meter.js'
import { countedBody, partsBody } from '../store/objects.js'
import type { RunInMemory } from './changed-runs.js'
import type { WrittenObjects } from './destination.js'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Where a backup's objects go. */
export interface ObjectSink {
  readonly store: ObjectStore
  readonly container: string
  /** Writes the backup's objects. */
  readonly written: WrittenObjects
  readonly compression: Compressor | null
  /** What the compressor makes of zeros. */
  readonly zeroForms: ZeroForms
  readonly extraMetadata: ObjectOptions['extraMetadata']
}

/** What became of a run. */
export interface StoredRun {
  readonly object: StoredObject
  /** How long the object is as stored. */
  readonly storedBytes: number
}

/** Of what is left once a run is hashed. */
const COMPRESSED_SHARE = 1 / 2

/** A run as it goes out. */
interface Packed {
  readonly parts: readonly Uint8Array[]
  readonly compression: string
}

/**
 * Compresses and stores a run. Data whose compressed form is not smaller is stored raw, as `none` (Cinder's
 * `_prepare_output_data`). The MD5 is that of the raw bytes.
 *
 * @param knownMd5 - of a run that is a whole chunk, which was summed as it was read
 * @param portion - counts compressing and storing, half each; storing alone where nothing is compressed
 */
export async function storeRun(
  sink: ObjectSink,
  name: string,
  run: RunInMemory,
  knownMd5: Promise<string> | undefined,
  portion: Portion,
  context: PipelineContext,
): Promise<StoredRun> {
  const { offsetBytes, lengthBytes } = run
  const held = new HeldMemory(run.release, context)
  try {
    const { signal, slots } = context
    const md5 = await (knownMd5 ?? md5Of(run.parts))
    signal.throwIfAborted()
    return await slots.run(lengthBytes, async () => {
      const { parts, compression } =
        sink.compression && lengthBytes > 0
          ? await compressRun(sink.compression, sink.zeroForms, run, held, portion, context)
          : { parts: run.parts, compression: 'none' }
      // A store may want the MD5 of what it is sent, which is another one where that is compressed.
      const storedMd5 = compression === 'none' ? () => Promise.resolve(md5) : () => md5Of(parts)
      if (sink.compression) portion.reach(COMPRESSED_SHARE)
      const { extraMetadata, store } = sink
      const inMemory = partsBody(parts, storedMd5)
      const { streamingWrites = false, streamingBodies = false } = store.capabilities
      const sent = portion.step(sink.compression ? COMPRESSED_SHARE : 0, 1)
      // A store that takes an object in one would need a copy of what comes in parts.
      const body = streamingWrites || streamingBodies ? countedBody(inMemory, sent) : inMemory
      await sink.written.write(name, body, { signal, extraMetadata })
      return {
        object: { name, offsetBytes, lengthBytes, compression, md5 },
        storedBytes: body.lengthBytes,
      }
    })
  } finally {
    held.giveAll()
  }
}

async function compressRun(
  compressor: Compressor,
  zeroForms: ZeroForms,
  run: RunInMemory,
  held: HeldMemory,
  portion: Portion,
  { budget, signal }: PipelineContext,
): Promise<Packed> {
  const { lengthBytes, parts, mostlyUnchanged } = run
  const zeroForm = run.allZero ? zeroForms.get(lengthBytes) : undefined
  if (zeroForm) {
    held.releaseRaw()
    return { parts: [zeroForm], compression: compressor.name }
  }
  const gathered = needsGathering(compressor, parts)
  const gatheredBytes = gathered ? lengthBytes : 0
  // The worst that is kept: a compressed form as long as its input is thrown away. All at once: whoever waited for the
  // second half while holding the first could wait for another who does the same.
  await budget.take(gatheredBytes + lengthBytes, 'underway')
  held.tookBytes(gatheredBytes + lengthBytes)
  const input = gathered ? [await inOne(run, held)] : parts
  if (gathered) held.releaseRaw()
  const output = held.takeBuffer(lengthBytes)
  const compressed = await compressInput(compressor, input, {
    signal,
    buffer: output,
    preferSpeed: mostlyUnchanged,
    onProgress: portion.step(0, COMPRESSED_SHARE),
  })
  if (compressed?.buffer !== output.buffer) held.giveBuffer(output)
  if (compressed === null) {
    held.keepOnly(gatheredBytes)
    return { parts: input, compression: 'none' }
  }
  if (run.allZero) zeroForms.remember(lengthBytes, compressed)
  held.keepOnly(compressed.buffer === output.buffer ? lengthBytes : compressed.length)
  if (gathered) for (const bytes of input) held.giveBuffer(bytes)
  held.releaseRaw()
  return { parts: [compressed], compression: compressor.name }
}

/** Whether a run lies in parts that its compressor has to be given in one. */
const needsGathering = (compressor: Compressor, parts: readonly Uint8Array[]): boolean =>
  parts.length > 1 && compressor.compressParts === undefined

async function compressInput(
  compressor: Compressor,
  input: readonly Uint8Array[],
  options: CompressOptions,
): Promise<Uint8Array | null> {
  const [first] = input
  if (first !== undefined && input.length === 1) return compressor.compress(first, options)
  return (await compressor.compressParts?.(input, options)) ?? null
}

/** A run as a compressor needs it. Fresh memory is zeros, and is hardly there while nobody writes to it. */
function inOne({ allZero, parts, lengthBytes }: RunInMemory, held: HeldMemory): Promise<Uint8Array> {
  return allZero
    ? Promise.resolve(new Uint8Array(new SharedArrayBuffer(lengthBytes)))
    : gather(parts, held.takeBuffer(lengthBytes))
}

/** What a run holds of the memory, given back once, as soon as it is not needed. */
class HeldMemory {
  readonly #context: PipelineContext
  readonly #buffers = new Set<Uint8Array>()
  #release: (() => void) | undefined
  #bytes = 0

  constructor(release: () => void, context: PipelineContext) {
    this.#release = release
    this.#context = context
  }

  tookBytes(bytes: number): void {
    this.#bytes += bytes
  }

  /** Gives back all but so much. */
  keepOnly(bytes: number): void {
    if (this.#bytes > bytes) this.#context.budget.give(this.#bytes - bytes)
    this.#bytes = bytes
  }

  /**
   * Memory that workers can read and fill where it is. A small object is not worth a buffer of the pool, which may be as
   * large as a chunk, and many of them are in work at once.
   */
  takeBuffer(lengthBytes: number): Uint8Array {
    if (lengthBytes <= SMALL_OBJECT_BYTES) return new Uint8Array(new SharedArrayBuffer(lengthBytes))
    const buffer = this.#context.storedBuffers.take(lengthBytes)
    this.#buffers.add(buffer)
    return buffer
  }

  giveBuffer(buffer: Uint8Array): void {
    if (this.#buffers.delete(buffer)) this.#context.storedBuffers.give(buffer)
  }

  releaseRaw(): void {
    this.#release?.()
    this.#release = undefined
  }

  giveAll(): void {
    this.releaseRaw()
    for (const buffer of this.#buffers) this.giveBuffer(buffer)
    this.keepOnly(0)
  }
}

/** How much is copied before others get a turn: fresh memory takes about a millisecond for it. */
const STEP_BYTES = 256 * 1024

/** Copies parts into one piece of memory, for a compressor that needs its input in one. */
export async function gather(parts: readonly Uint8Array[], whole: Uint8Array): Promise<Uint8Array> {
  let endBytes = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += STEP_BYTES) {
      const step = part.subarray(at, at + STEP_BYTES)
      whole.set(step, endBytes)
      endBytes += step.length
      await nextTurn()
    }
  }
  return whole
}

/** deflate makes 2 MB of the largest chunk that is usual, 1.86 GiB; others make next to nothing. */
const MOST_BYTES = 8 * 1024 * 1024

/** What zeros become when they are compressed, by how many they are: the same for all chunks of zeros of a backup. */
export class ZeroForms {
  readonly #forms = new Map<number, Uint8Array>()
  #bytes = 0

  get(lengthBytes: number): Uint8Array | undefined {
    return this.#forms.get(lengthBytes)
  }

  /** Keeps a copy, as long as all of them are a few megabytes. */
  remember(lengthBytes: number, compressed: Uint8Array): void {
    if (this.#forms.has(lengthBytes) || this.#bytes + compressed.length > MOST_BYTES) return
    this.#forms.set(lengthBytes, compressed.slice())
    this.#bytes += compressed.length
  }
}

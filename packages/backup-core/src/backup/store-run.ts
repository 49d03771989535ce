import type { CompressOptions, Compressor } from '../contracts/compressor.js'
import type { StoredObject } from '../format/manifest.js'
import { md5Of } from '../hash/chunk-hasher.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import { SMALL_OBJECT_BYTES } from '../pipeline/slots.js'
import type { Portion } from '../pipeline/progress-meter.js'
import { countedBody, partsBody } from '../store/objects.js'
import type { RunInMemory } from './changed-runs.js'
import type { ObjectSink } from './object-sink.js'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import { type CompressedZerosCache } from './compressed-zeros.js'
import { isAllZeros } from '../volume/zeros.js'

/** A stored run. */
export interface StoredRun {
  readonly object: StoredObject
  /** The length of the object, compressed or not. */
  readonly storedBytes: number
}

/** The part of a run's progress, after reading and hashing, that is compressing it; storing it is the rest. */
const COMPRESSED_FRACTION = 1 / 2

/** A run as it is stored. */
interface Packed {
  readonly parts: readonly Uint8Array[]
  readonly compression: string
}

/**
 * Compresses and stores a run. Data whose compressed form is not smaller is stored uncompressed, as `none` (Cinder's
 * `_prepare_output_data`). Without a compressor, a run of zeros is stored with `zerosCompression`. The MD5 is that of the
 * uncompressed bytes.
 *
 * @param knownMd5 - the MD5 of a run that is a whole chunk, which was computed while the chunk was read
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
      const { parts, compression } = await packRun(sink, run, held, portion, context)
      // A store may need the MD5 of the body, which differs where it is compressed.
      const storedMd5 = compression === 'none' ? () => Promise.resolve(md5) : () => md5Of(parts)
      if (sink.compression) portion.reach(COMPRESSED_FRACTION)
      const { extraMetadata, store } = sink
      const inMemory = partsBody(parts, storedMd5)
      const { streamingWrites = false, streamingBodies = false } = store.capabilities
      const sent = portion.step(sink.compression ? COMPRESSED_FRACTION : 0, 1)
      // A store that accepts an object in one piece only would copy a body in parts.
      const body = streamingWrites || streamingBodies ? countedBody(inMemory, sent) : inMemory
      await sink.writer.write(name, body, { signal, extraMetadata }, context.fail)
      return {
        object: { name, offsetBytes, lengthBytes, compression, md5 },
        storedBytes: body.lengthBytes,
      }
    })
  } finally {
    held.releaseAll()
  }
}

async function packRun(
  { compression, zerosCompression, compressedZeros }: ObjectSink,
  run: RunInMemory,
  held: HeldMemory,
  portion: Portion,
  context: PipelineContext,
): Promise<Packed> {
  const { lengthBytes, parts, allZero } = run
  if (lengthBytes === 0) return { parts, compression: 'none' }
  if (compression) return compressRun(compression, compressedZeros, run, held, portion, context)
  // A run of zeros may be in a piece that has other data.
  const isZeros = zerosCompression !== null && (allZero || parts.every(isAllZeros))
  const zeros = isZeros ? await compressedZeros.compress(zerosCompression, lengthBytes, context.signal) : null
  if (!zeros || !zerosCompression) return { parts, compression: 'none' }
  held.releaseRaw()
  return { parts: [zeros], compression: zerosCompression.name }
}

async function compressRun(
  compressor: Compressor,
  compressedZeros: CompressedZerosCache,
  run: RunInMemory,
  held: HeldMemory,
  portion: Portion,
  { budget, signal }: PipelineContext,
): Promise<Packed> {
  const { lengthBytes, parts, mostlyUnchanged } = run
  const cached = run.allZero ? compressedZeros.get(lengthBytes) : undefined
  if (cached) {
    held.releaseRaw()
    return { parts: [cached], compression: compressor.name }
  }
  const isCopied = needsCopy(compressor, parts)
  // Zeros are not copied: their buffer is new memory, which takes no pages.
  const copiedBytes = isCopied && !run.allZero ? lengthBytes : 0
  // The maximum: compressed data as long as its input is discarded. All in one call: a run that waits for the second half
  // while it holds the first could wait for another that does the same.
  await budget.take(copiedBytes + lengthBytes, 'inProgress')
  held.addHeldBytes(copiedBytes + lengthBytes)
  const input = isCopied ? [await inOne(run, held)] : parts
  if (isCopied) held.releaseRaw()
  const output = held.takeBuffer(lengthBytes)
  const compressed = await compressInput(compressor, input, {
    signal,
    buffer: output,
    preferSpeed: mostlyUnchanged,
    onProgress: portion.step(0, COMPRESSED_FRACTION),
  })
  if (compressed?.buffer !== output.buffer) held.releaseBuffer(output)
  if (compressed === null) {
    held.keepOnly(copiedBytes)
    return { parts: input, compression: 'none' }
  }
  if (run.allZero) compressedZeros.remember(lengthBytes, compressed)
  held.keepOnly(compressed.buffer === output.buffer ? lengthBytes : compressed.length)
  if (isCopied) for (const bytes of input) held.releaseBuffer(bytes)
  held.releaseRaw()
  return { parts: [compressed], compression: compressor.name }
}

/** Whether a run is in several parts, and its compressor accepts one buffer only. */
const needsCopy = (compressor: Compressor, parts: readonly Uint8Array[]): boolean =>
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

/** Returns a run in one buffer. New memory is zeros, and takes no pages until it is written to. */
function inOne({ allZero, parts, lengthBytes }: RunInMemory, held: HeldMemory): Promise<Uint8Array> {
  return allZero
    ? Promise.resolve(new Uint8Array(new SharedArrayBuffer(lengthBytes)))
    : copyInSteps(parts, held.takeBuffer(lengthBytes))
}

/** The memory of a run, which is returned once, as soon as it is not needed. */
class HeldMemory {
  readonly #context: PipelineContext
  readonly #buffers = new Set<Uint8Array>()
  #release: (() => void) | undefined
  #bytes = 0

  constructor(release: () => void, context: PipelineContext) {
    this.#release = release
    this.#context = context
  }

  addHeldBytes(bytes: number): void {
    this.#bytes += bytes
  }

  /** Returns all but so many bytes. */
  keepOnly(bytes: number): void {
    if (this.#bytes > bytes) this.#context.budget.release(this.#bytes - bytes)
    this.#bytes = bytes
  }

  /**
   * Returns a buffer in shared memory, which workers can read and fill without a copy. A small object gets one of its own:
   * those of the pool may be as large as a chunk, and many small objects are worked on concurrently.
   */
  takeBuffer(lengthBytes: number): Uint8Array {
    if (lengthBytes <= SMALL_OBJECT_BYTES) return new Uint8Array(new SharedArrayBuffer(lengthBytes))
    const buffer = this.#context.storedBuffers.take(lengthBytes)
    this.#buffers.add(buffer)
    return buffer
  }

  releaseBuffer(buffer: Uint8Array): void {
    if (this.#buffers.delete(buffer)) this.#context.storedBuffers.release(buffer)
  }

  releaseRaw(): void {
    this.#release?.()
    this.#release = undefined
  }

  releaseAll(): void {
    this.releaseRaw()
    for (const buffer of this.#buffers) this.releaseBuffer(buffer)
    this.keepOnly(0)
  }
}

/** How much is copied before the event loop runs: with first-touch page faults, this takes about a millisecond. */
const COPY_STEP_BYTES = 256 * 1024

/** Copies parts into one buffer. */
async function copyInSteps(parts: readonly Uint8Array[], whole: Uint8Array): Promise<Uint8Array> {
  let endBytes = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += COPY_STEP_BYTES) {
      const step = part.subarray(at, at + COPY_STEP_BYTES)
      whole.set(step, endBytes)
      endBytes += step.length
      await yieldToEventLoop()
    }
  }
  return whole
}

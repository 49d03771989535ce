import type { Compressor } from '../compression/compressor.js'
import type { ObjectOptions, ObjectStore } from '../driver/object-store.js'
import type { StoredObject } from '../format/metadata.js'
import { hashChunk } from '../hash/chunk-hasher.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import { bytesBody, writeObject } from '../store/write-object.js'

/** Where a backup's objects go. */
export interface ObjectSink {
  readonly store: ObjectStore
  readonly container: string
  readonly compression: Compressor | null
  readonly extraMetadata: ObjectOptions['extraMetadata']
}

/** A run of the volume that becomes one object. */
export interface StorableRun {
  readonly name: string
  readonly offsetBytes: number
  readonly bytes: Uint8Array
  /** Known already where the run is a whole chunk. */
  readonly md5: string | null
  /** Called once, when the raw bytes are not needed any more. */
  readonly release: () => void
}

/** What became of a run. */
export interface StoredRun {
  readonly object: StoredObject
  /** How long the object is as stored. */
  readonly storedBytes: number
}

/**
 * Compresses and stores a run. Data whose compressed form is not smaller is stored raw, as `none` (Cinder's
 * `_prepare_output_data`). The MD5 is that of the raw bytes.
 */
export async function storeRun(
  sink: ObjectSink,
  run: StorableRun,
  context: PipelineContext,
): Promise<StoredRun> {
  const { bytes, name, offsetBytes } = run
  const lengthBytes = bytes.length
  let release: (() => void) | undefined = run.release
  const releaseRaw = (): void => {
    release?.()
    release = undefined
  }
  let heldBytes = 0
  try {
    const md5 = run.md5 ?? (await hashChunk({ bytes, blockSizeBytes: 0, md5: true })).md5
    let stored = bytes
    let compression = 'none'
    if (sink.compression && lengthBytes > 0) {
      // The worst that is kept: a compressed form as long as its input is thrown away.
      await context.budget.take(lengthBytes, 'underway')
      heldBytes = lengthBytes
      const compressed = await sink.compression.compress(bytes, { signal: context.signal })
      const keptBytes = compressed.length < lengthBytes ? compressed.length : 0
      context.budget.give(heldBytes - keptBytes)
      heldBytes = keptBytes
      if (keptBytes > 0) {
        stored = compressed
        compression = sink.compression.name
        releaseRaw()
      }
    }
    await writeObject(sink.store, sink.container, name, bytesBody(stored), {
      signal: context.signal,
      extraMetadata: sink.extraMetadata,
    })
    return { object: { name, offsetBytes, lengthBytes, compression, md5 }, storedBytes: stored.length }
  } finally {
    releaseRaw()
    if (heldBytes > 0) context.budget.give(heldBytes)
  }
}

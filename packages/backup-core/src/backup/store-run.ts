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
  const { budget, buffers, signal } = context
  let release: (() => void) | undefined = run.release
  const releaseRaw = (): void => {
    release?.()
    release = undefined
  }
  let heldBytes = 0
  let output: Uint8Array | undefined
  try {
    const md5 = run.md5 ?? (await hashChunk({ bytes, blockSizeBytes: 0, md5: true })).md5
    let stored = bytes
    let compression = 'none'
    if (sink.compression && lengthBytes > 0) {
      // The worst that is kept: a compressed form as long as its input is thrown away.
      await budget.take(lengthBytes, 'underway')
      heldBytes = lengthBytes
      // A run that is a small part of its chunk gets fresh memory: the pool's buffers are as large as a chunk.
      output = run.md5 === null ? undefined : buffers.take(lengthBytes)
      const compressed = await sink.compression.compress(bytes, {
        signal,
        mustShrink: true,
        ...(output ? { buffer: output } : {}),
      })
      const smaller = compressed.length < lengthBytes
      if (output && (!smaller || compressed.buffer !== output.buffer)) {
        buffers.give(output)
        output = undefined
      }
      const keptBytes = !smaller ? 0 : output ? lengthBytes : compressed.length
      budget.give(heldBytes - keptBytes)
      heldBytes = keptBytes
      if (smaller) {
        stored = compressed
        compression = sink.compression.name
        releaseRaw()
      }
    }
    await writeObject(sink.store, sink.container, name, bytesBody(stored, stored === bytes ? md5 : null), {
      signal,
      extraMetadata: sink.extraMetadata,
    })
    return { object: { name, offsetBytes, lengthBytes, compression, md5 }, storedBytes: stored.length }
  } finally {
    releaseRaw()
    if (output) buffers.give(output)
    if (heldBytes > 0) budget.give(heldBytes)
  }
}

import { BackupError } from '../errors/backup-error.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import type { OpenSource } from '../volume/volume.js'

/** A chunk of the volume, in memory. */
export interface Chunk {
  readonly offsetBytes: number
  readonly bytes: Uint8Array
  /** Gives its memory back. Called once, when nothing needs the bytes any more. */
  release(): void
}

/** Reads a volume in order, one chunk ahead of the work for each that the memory allows. */
export async function* readChunks(
  source: OpenSource,
  chunkSizeBytes: number,
  context: PipelineContext,
): AsyncGenerator<Chunk> {
  const { budget, buffers, signal } = context
  let offsetBytes = 0
  for (;;) {
    const leftBytes = source.sizeBytes === undefined ? chunkSizeBytes : source.sizeBytes - offsetBytes
    const wantedBytes = Math.min(chunkSizeBytes, leftBytes)
    if (wantedBytes <= 0) return
    await budget.take(chunkSizeBytes, 'fresh')
    const buffer = buffers.take(chunkSizeBytes)
    const release = (): void => {
      buffers.give(buffer)
      budget.give(chunkSizeBytes)
    }
    const gotBytes = await source.read(buffer.subarray(0, wantedBytes), offsetBytes, { signal })
    if (gotBytes < wantedBytes && source.sizeBytes !== undefined) {
      throw new BackupError(
        'SOURCE_CHANGED',
        `The source ended at ${offsetBytes + gotBytes} bytes and not at ${source.sizeBytes}: it shrank while it was read. Back up a snapshot of it, or stop its writer.`,
        { offsetBytes: offsetBytes + gotBytes },
      )
    }
    if (gotBytes === 0) {
      release()
      return
    }
    yield { offsetBytes, bytes: buffer.subarray(0, gotBytes), release }
    offsetBytes += gotBytes
    if (gotBytes < wantedBytes) return
  }
}

import { BackupError } from '../errors/backup-error.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import type { OpenSource } from '../volume/volume.js'
import type { SourceHints } from './source-hints.js'

/** A piece of a chunk, in memory: a part that is hashed alone, or the whole chunk where a compressor needs it in one. */
export interface Piece {
  readonly kind: 'piece'
  /** Within the volume. */
  readonly offsetBytes: number
  readonly bytes: Uint8Array
  /** Gives its memory back. Called once, when nothing needs the bytes any more. */
  release(): void
}

/** All pieces of a chunk have been handed out; at least one was. */
export interface EndOfChunk {
  readonly kind: 'end'
}

/** How a volume is read. */
export interface ReadPlan {
  /** The most bytes in one object: no run of changes goes on beyond. */
  readonly chunkSizeBytes: number
  /** What is read at a time: whole blocks, at most a chunk. */
  readonly pieceSizeBytes: number
  readonly hints: SourceHints
  /** Told of a piece that is known not to have changed, and was not read. */
  readonly skipped: (lengthBytes: number) => void
}

/** Reads a volume in order, as far ahead of the work as the memory allows. */
export async function* readPieces(
  source: OpenSource,
  plan: ReadPlan,
  context: PipelineContext,
): AsyncGenerator<Piece | EndOfChunk> {
  const { chunkSizeBytes, pieceSizeBytes, hints } = plan
  const { budget, buffers, signal } = context
  let offsetBytes = 0
  let chunkEndBytes = chunkSizeBytes
  let chunkHasPieces = false
  for (;;) {
    const leftBytes = source.sizeBytes === undefined ? pieceSizeBytes : source.sizeBytes - offsetBytes
    const wantedBytes = Math.min(pieceSizeBytes, leftBytes, chunkEndBytes - offsetBytes)
    if (wantedBytes <= 0) break
    if (await isUnchanged(hints, offsetBytes, offsetBytes + wantedBytes)) {
      plan.skipped(wantedBytes)
      offsetBytes += wantedBytes
    } else {
      // The pieces of a chunk take no more than the chunk: it can always be read to its end.
      const heldBytes = Math.min(pieceSizeBytes, chunkEndBytes - offsetBytes)
      await budget.take(heldBytes, 'fresh')
      const buffer = buffers.take(pieceSizeBytes)
      const release = (): void => {
        buffers.give(buffer)
        budget.give(heldBytes)
      }
      const gotBytes = await fill(source, hints, buffer.subarray(0, wantedBytes), offsetBytes, signal)
      if (gotBytes === 0) {
        release()
        break
      }
      yield { kind: 'piece', offsetBytes, bytes: buffer.subarray(0, gotBytes), release }
      chunkHasPieces = true
      offsetBytes += gotBytes
      if (gotBytes < wantedBytes) break
    }
    if (offsetBytes < chunkEndBytes) continue
    if (chunkHasPieces) yield { kind: 'end' }
    chunkHasPieces = false
    chunkEndBytes += chunkSizeBytes
  }
  if (chunkHasPieces) yield { kind: 'end' }
}

async function isUnchanged(hints: SourceHints, startBytes: number, endBytes: number): Promise<boolean> {
  if (!hints.changes) return false
  const changes = await hints.changes.within(startBytes, endBytes)
  return changes.length === 0 && endBytes <= hints.comparableBytes
}

/** Reads a piece; where the source says that it holds nothing, zeros are what it would have given. */
async function fill(
  source: OpenSource,
  hints: SourceHints,
  into: Uint8Array,
  offsetBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const endBytes = offsetBytes + into.length
  const extents = hints.data
    ? await hints.data.within(offsetBytes, endBytes)
    : [{ offsetBytes, lengthBytes: into.length }]
  let zeroFrom = 0
  for (const extent of extents) {
    const start = extent.offsetBytes - offsetBytes
    into.fill(0, zeroFrom, start)
    zeroFrom = start + extent.lengthBytes
    const gotBytes = await source.read(into.subarray(start, zeroFrom), extent.offsetBytes, { signal })
    if (gotBytes < extent.lengthBytes) {
      // A stream ends where it ends.
      if (source.sizeBytes === undefined) return gotBytes
      throw shrank(extent.offsetBytes + gotBytes, source.sizeBytes)
    }
  }
  into.fill(0, zeroFrom)
  return into.length
}

function shrank(endBytes: number, sizeBytes: number): BackupError {
  return new BackupError(
    'SOURCE_CHANGED',
    `The source ended at ${endBytes} bytes and not at ${sizeBytes}: it shrank while it was read. Back up a snapshot of it, or stop its writer.`,
    { offsetBytes: endBytes },
  )
}

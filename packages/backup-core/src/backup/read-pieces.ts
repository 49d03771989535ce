import type { PipelineContext } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import type { OpenSource } from '../contracts/volume.js'
import { fillPiece, Zeros } from './fill-piece.js'
import { dataWithin, type SourceHints } from './source-hints.js'

/** Of a backup's progress, reading is a quarter, and so are hashing, compressing and storing. */
const READ_SHARE = 1 / 4
/** What is behind a piece that was read and hashed; the rest is compressing and storing what of it changed. */
export const HASHED_SHARE: number = 1 / 2

/** A piece of a chunk, in memory: a part that is hashed alone, or the whole chunk where a compressor needs it in one. */
export interface Piece {
  readonly kind: 'piece'
  /** Within the volume. */
  readonly offsetBytes: number
  readonly bytes: Uint8Array
  /** The source has nothing there: the bytes are zeros that were not read. */
  readonly hole: boolean
  /** What it is worth of the backup's progress: reading it is counted. */
  readonly portion: Portion
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
  /** Counts what is read, and what need not be read since it is known not to have changed. */
  readonly meter: ProgressMeter
}

/** Reads a volume in order, as far ahead of the work as the memory allows. */
export async function* readPieces(
  source: OpenSource,
  plan: ReadPlan,
  context: PipelineContext,
): AsyncGenerator<Piece | EndOfChunk> {
  const { chunkSizeBytes, pieceSizeBytes, hints, meter } = plan
  const { budget, buffers, signal } = context
  const zeros = new Zeros(Math.min(pieceSizeBytes, source.sizeBytes ?? pieceSizeBytes))
  let offsetBytes = 0
  let chunkEndBytes = chunkSizeBytes
  let chunkHasPieces = false
  for (;;) {
    const leftBytes = source.sizeBytes === undefined ? pieceSizeBytes : source.sizeBytes - offsetBytes
    const wantedBytes = Math.min(pieceSizeBytes, leftBytes, chunkEndBytes - offsetBytes)
    if (wantedBytes <= 0) break
    if (await isUnchanged(hints, offsetBytes, offsetBytes + wantedBytes)) {
      meter.add({ done: wantedBytes })
      offsetBytes += wantedBytes
    } else {
      // The pieces of a chunk take no more than the chunk: it can always be read to its end.
      const heldBytes = Math.min(pieceSizeBytes, leftBytes, chunkEndBytes - offsetBytes)
      await budget.take(heldBytes, 'fresh')
      const data = await dataWithin(hints, offsetBytes, wantedBytes)
      // A hole takes no memory of its own; what it would take still holds the reading back.
      const bufferBytes = source.sizeBytes === undefined ? pieceSizeBytes : wantedBytes
      const buffer = data.length === 0 ? undefined : buffers.take(bufferBytes)
      const release = (): void => {
        if (buffer) buffers.give(buffer)
        budget.give(heldBytes)
      }
      const into = buffer?.subarray(0, wantedBytes)
      const portion = new Portion(meter, wantedBytes)
      const read = portion.step(0, READ_SHARE)
      const onRead = (endBytes: number): void => {
        read(endBytes, wantedBytes)
      }
      const gotBytes = into
        ? await fillPiece(source, data, zeros, into, offsetBytes, signal, onRead)
        : wantedBytes
      portion.cutTo(gotBytes)
      if (gotBytes === 0) {
        release()
        break
      }
      const bytes = into ? into.subarray(0, gotBytes) : zeros.first(gotBytes)
      yield { kind: 'piece', offsetBytes, bytes, hole: !into, portion, release }
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

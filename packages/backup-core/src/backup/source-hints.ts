import { ExtentCursor } from '../volume/extent-cursor.js'
import type { OpenSource, VolumeExtent } from '../contracts/volume.js'
import type { Parent } from './prepare.js'
import { signalOptions } from '../contracts/object-store.js'

/** What a source knows of itself, so that less of it has to be read. */
export interface SourceHints extends AsyncDisposable {
  /** Where data is; undefined when all of it has to be read. */
  readonly data: ExtentCursor | undefined
  /** What may have changed since the parent; undefined when all of it has to be compared. */
  readonly changes: ExtentCursor | undefined
  /** Up to here the volume's blocks are the parent's, where they did not change. */
  readonly comparableBytes: number
}

/** Asks a source for its hints. A block that the parent did not have whole is always read. */
export async function askForHints(
  source: OpenSource,
  parent: Parent | null,
  blockSizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<SourceHints> {
  const options = signalOptions(signal)
  const { sizeBytes } = source
  const data = source.extents
    ? new ExtentCursor(source.extents(options), 'extents()', options.signal)
    : undefined
  let changes: ExtentCursor | undefined
  let comparableBytes = 0
  if (parent && sizeBytes !== undefined) {
    const { record, blocks } = parent
    const changed = await source.changedSince?.(record.id, options)
    if (changed) changes = new ExtentCursor(changed, 'changedSince()', options.signal)
    const sameEnd =
      sizeBytes === record.sizeBytes && blocks.hashes.length === Math.ceil(sizeBytes / blockSizeBytes)
    const wholeBlocks = Math.min(
      Math.floor(sizeBytes / blockSizeBytes),
      Math.floor(record.sizeBytes / blockSizeBytes),
      blocks.hashes.length,
    )
    comparableBytes = sameEnd ? sizeBytes : wholeBlocks * blockSizeBytes
  }
  return {
    data,
    changes,
    comparableBytes,
    async [Symbol.asyncDispose]() {
      await data?.[Symbol.asyncDispose]()
      await changes?.[Symbol.asyncDispose]()
    },
  }
}

/** Where the source has data in a part of it: all of it, if it does not say. Asked for in the order of the volume. */
export async function dataWithin(
  hints: SourceHints,
  offsetBytes: number,
  lengthBytes: number,
): Promise<readonly VolumeExtent[]> {
  return hints.data
    ? hints.data.within(offsetBytes, offsetBytes + lengthBytes)
    : [{ offsetBytes, lengthBytes }]
}

import type { BackupRecord } from '../driver/types.js'
import { ExtentCursor } from '../volume/extent-cursor.js'
import type { OpenSource } from '../volume/volume.js'

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
  parent: BackupRecord | undefined,
  blockSizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<SourceHints> {
  const options = signal ? { signal } : {}
  const { sizeBytes } = source
  const data = source.extents ? new ExtentCursor(source.extents(options), 'extents()') : undefined
  let changes: ExtentCursor | undefined
  let comparableBytes = 0
  if (parent && sizeBytes !== undefined) {
    const changed = await source.changedSince?.(parent.id, options)
    if (changed) changes = new ExtentCursor(changed, 'changedSince()')
    const shorter = Math.min(sizeBytes, parent.sizeBytes)
    comparableBytes =
      sizeBytes === parent.sizeBytes ? sizeBytes : Math.floor(shorter / blockSizeBytes) * blockSizeBytes
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

import type { FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { sourceError, targetError } from './file-errors.js'

/** The most bytes of one system call. A call cannot be interrupted, so this bounds how long an abort waits. */
const callBytes = 16 * 1024 * 1024

/**
 * The most bytes of one writing call. Linux takes page cache in units as large as the call allows (large folios), out of
 * memory that has lain unused for longest; for calls this small it takes what was freed a moment ago, which is still
 * warm. A restore spent a third less time in the kernel.
 */
const writeCallBytes = 256 * 1024

/** What {@link readFully} reads, and where. */
export interface PositionalRead {
  readonly path: string
  readonly offsetBytes: number
  readonly signal?: AbortSignal | undefined
}

/** Fills `into`, in as many calls as it takes, and returns how many bytes it got: fewer only where the file ends. */
export async function readFully(handle: FileHandle, into: Uint8Array, at: PositionalRead): Promise<number> {
  let done = 0
  while (done < into.length) {
    throwIfAborted(at.signal, `Reading ${at.path}`)
    const position = at.offsetBytes + done
    const length = Math.min(into.length - done, callBytes)
    const { bytesRead } = await handle.read(into, done, length, position).catch((error: unknown) => {
      throw sourceError(error, at.path, position)
    })
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/**
 * Writes all of `bytes`. A disk that fills up first takes a part without an error, and only then says ENOSPC: a
 * short write is followed by another, never taken for the end.
 */
export async function writeFully(
  handle: FileHandle,
  bytes: Uint8Array,
  path: string,
  offsetBytes: number,
): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const position = offsetBytes + done
    const length = Math.min(bytes.length - done, writeCallBytes)
    const { bytesWritten } = await handle.write(bytes, done, length, position).catch((error: unknown) => {
      throw targetError(error, path, position)
    })
    if (bytesWritten === 0) {
      throw new BackupError(
        'TARGET_WRITE',
        `Cannot write ${path} at byte ${position}: it takes no more bytes.`,
        {
          offsetBytes: position,
        },
      )
    }
    done += bytesWritten
  }
}

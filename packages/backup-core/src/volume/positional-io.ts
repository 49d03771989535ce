import type { FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import type { BigIntStats, Stats } from 'node:fs'

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

/** The operating system's own name for an error (`ENOENT`), where it has one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const sourceHints: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file. Check the path.',
  ENOTDIR: 'a part of the path is not a directory. Check the path.',
  EACCES: 'this user may not read it. Give it read permission, or run as a user who has it.',
  EPERM: 'this user may not read it. Give it read permission, or run as a user who has it.',
  EIO: 'the device reports an input/output error. Check its health (dmesg, smartctl) before you trust it again.',
  ENXIO: 'there is no device behind it. Attach it, or check the path.',
  ENOMEDIUM: 'there is no medium in the device.',
  ESTALE: 'the file server no longer knows it. Mount it again.',
}

/** `SOURCE_READ` for what the operating system said of reading `path`. */
export function sourceError(error: unknown, path: string, offsetBytes?: number): BackupError {
  if (isBackupError(error)) return error
  const place = offsetBytes === undefined ? '' : ` at byte ${offsetBytes}`
  return new BackupError('SOURCE_READ', `Cannot read ${path}${place}: ${hint(error, sourceHints)}`, {
    cause: error,
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
  })
}

const targetHints: Readonly<Record<string, string>> = {
  ENOENT: 'it or its directory does not exist. Create the directory first, or check the path.',
  ENOTDIR: 'a part of the path is not a directory. Check the path.',
  EACCES: 'this user may not write it. Give write permission, or choose another target.',
  EPERM: 'this user may not write it. Give write permission, or choose another target.',
  EROFS: 'it is on a read-only file system. Choose another target.',
  EBUSY: 'it is in use (mounted, swap, RAID, LVM or another program). Unmount or stop what uses it first.',
  ETXTBSY: 'it is in use. Stop what uses it first.',
  ENOSPC: 'no space is left. Free some, or choose a larger target.',
  EDQUOT: 'the disk quota is used up. Free some space, or have the quota raised.',
  EFBIG:
    'the file system, or a limit of this process (ulimit -f), allows no file that long. Choose another target.',
  EIO: 'the device reports an input/output error. Check its health (dmesg, smartctl).',
}

const targetCodes: Readonly<Record<string, BackupErrorCode>> = {
  EBUSY: 'TARGET_BUSY',
  ETXTBSY: 'TARGET_BUSY',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'TARGET_TOO_SMALL',
}

/** The error for what the operating system said of writing `path`; `TARGET_WRITE` where no other code says more. */
export function targetError(error: unknown, path: string, offsetBytes?: number): BackupError {
  if (isBackupError(error)) return error
  const place = offsetBytes === undefined ? '' : ` at byte ${offsetBytes}`
  const code = targetCodes[errnoOf(error) ?? ''] ?? 'TARGET_WRITE'
  return new BackupError(code, `Cannot write ${path}${place}: ${hint(error, targetHints)}`, {
    cause: error,
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
  })
}

function hint(error: unknown, hints: Readonly<Record<string, string>>): string {
  const known = hints[errnoOf(error) ?? '']
  if (known !== undefined) return known
  return error instanceof Error ? error.message : String(error)
}

/** What is at a path, for the error that refuses it. */
export function fileKind(stats: Stats | BigIntStats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  if (stats.isCharacterDevice()) return 'a character device'
  return 'not a file'
}

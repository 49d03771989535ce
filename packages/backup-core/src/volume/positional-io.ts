import type { BigIntStats, Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { BackupError, isBackupError, throwIfAborted, type BackupErrorCode } from '../errors/backup-error.js'
import { mapErrors, messageOf } from '../errors/error-mapper.js'

/** The maximum of one reading call. A call cannot be interrupted, so this bounds how long an abort waits. */
const READ_CALL_BYTES = 16 * 1024 * 1024

/**
 * The maximum of one writing call. Linux takes page cache in units as large as the call allows (large folios), from memory
 * that has been unused for longest; for calls this small it reuses what was freed a moment ago, which is still in the CPU
 * cache. A restore spent a third less time in the kernel.
 */
const WRITE_CALL_BYTES = 256 * 1024

/** Fills `into` and returns the number of bytes read: fewer only where the file ends. */
export async function readFully(
  handle: FileHandle,
  into: Uint8Array,
  { path, offsetBytes, signal }: { path: string; offsetBytes: number; signal?: AbortSignal | undefined },
): Promise<number> {
  let done = 0
  while (done < into.length) {
    throwIfAborted(signal, `Reading ${path}`)
    const position = offsetBytes + done
    const length = Math.min(into.length - done, READ_CALL_BYTES)
    const { bytesRead } = await mapReadErrors(path, () => handle.read(into, done, length, position), position)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/**
 * Writes all of `bytes`. A disk that fills up first writes a part without an error, and only then fails with ENOSPC: a
 * short write is therefore followed by another.
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
    const length = Math.min(bytes.length - done, WRITE_CALL_BYTES)
    const { bytesWritten } = await mapWriteErrors(
      path,
      () => handle.write(bytes, done, length, position),
      position,
    )
    if (bytesWritten === 0) {
      const message = `Cannot write ${path} at byte ${position}: the system writes no more bytes there.`
      throw new BackupError('TARGET_WRITE', message, { offsetBytes: position })
    }
    done += bytesWritten
  }
}

/** The operating system's name of an error (`ENOENT`), where it has one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The result of a system call; undefined where it fails with one of these errors. */
export async function unlessErrno<T>(call: Promise<T>, ...errnos: string[]): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (errnos.includes(errnoOf(error) ?? '')) return undefined
    throw error
  })
}

const sourceReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file. Check the path.',
  ENOTDIR: 'a part of the path is not a directory. Check the path.',
  EACCES: 'this user may not read it. Give it read permission, or run as a user who has it.',
  EPERM: 'this user may not read it. Give it read permission, or run as a user who has it.',
  EIO: 'the device reports an input/output error. Check its health (dmesg, smartctl) before you use it again.',
  ENXIO: 'there is no device behind it. Attach it, or check the path.',
  ENOMEDIUM: 'there is no medium in the device. Insert one.',
  ESTALE: 'the file server does not know it any more. Mount it again.',
}

const targetReasons: Readonly<Record<string, string>> = {
  ENOENT: 'it or its directory does not exist. Create the directory first, or check the path.',
  ENOTDIR: 'a part of the path is not a directory. Check the path.',
  EACCES: 'this user may not write it. Give write permission, or choose another target.',
  EPERM: 'this user may not write it. Give write permission, or choose another target.',
  EROFS: 'it is on a read-only file system. Choose another target.',
  EBUSY: 'it is in use (mounted, swap, RAID, LVM or another program). Unmount it or stop what uses it first.',
  ETXTBSY: 'it is in use. Stop what uses it first.',
  ENOSPC: 'no space is left. Free some, or choose a larger target.',
  EDQUOT: 'the disk quota is used up. Free some space, or have the quota raised.',
  EFBIG:
    'the file system or a limit of this process (ulimit -f) allows no file that long. Choose another target.',
  EIO: 'the device reports an input/output error. Check its health (dmesg, smartctl).',
}

const targetCodes: Readonly<Record<string, BackupErrorCode>> = {
  EBUSY: 'TARGET_BUSY',
  ETXTBSY: 'TARGET_BUSY',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'TARGET_TOO_SMALL',
}

/** Calls the operating system to read `path`, and maps its errors to `SOURCE_READ`. */
export function mapReadErrors<T>(path: string, call: () => Promise<T>, offsetBytes?: number): Promise<T> {
  return mapErrors(call, (error) =>
    systemError(error, 'SOURCE_READ', `Cannot read ${path}`, sourceReasons, offsetBytes),
  )
}

/** Calls the operating system to write `path`, and maps its errors; to `TARGET_WRITE` where no other code fits. */
export function mapWriteErrors<T>(path: string, call: () => Promise<T>, offsetBytes?: number): Promise<T> {
  return mapErrors(call, (error) => {
    const code = targetCodes[errnoOf(error) ?? ''] ?? 'TARGET_WRITE'
    return systemError(error, code, `Cannot write ${path}`, targetReasons, offsetBytes)
  })
}

function systemError(
  error: unknown,
  code: BackupErrorCode,
  failure: string,
  reasons: Readonly<Record<string, string>>,
  offsetBytes?: number,
): BackupError {
  if (isBackupError(error)) return error
  const reason = reasons[errnoOf(error) ?? ''] ?? messageOf(error)
  if (offsetBytes === undefined) return new BackupError(code, `${failure}: ${reason}`, { cause: error })
  return new BackupError(code, `${failure} at byte ${offsetBytes}: ${reason}`, { cause: error, offsetBytes })
}

/** Whether two descriptions are of one file. */
export function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino
}

/** What is at a path, for the error that refuses it. */
export function fileKind(stats: Stats | BigIntStats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  if (stats.isCharacterDevice()) return 'a character device'
  return 'not a file'
}

import { errorMapper } from '@stowage/backup-core'
import type { BackupError, BackupErrorCode, CallContext, ErrorMeaning } from '@stowage/backup-core'

/** The operation that a system call failed in. */
export interface FailedCall extends CallContext {
  /** The code for ENOENT. */
  readonly missing?: BackupErrorCode
}

type Meaning = readonly [code: BackupErrorCode, advice: string]

const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: ['NO_SPACE', 'The file system is full: free some space, or delete old backups.'],
  EDQUOT: ['QUOTA_EXCEEDED', 'The disk quota is used up: have it raised, or delete old backups.'],
  EFBIG: [
    'QUOTA_EXCEEDED',
    'Files may not grow this large here: choose a smaller chunkSizeBytes, or raise the limit.',
  ],
  EROFS: ['STORE_READONLY', 'The file system is mounted read-only.'],
  EACCES: ['FORBIDDEN', 'Give this user the right to read and write the store and all below it.'],
  EPERM: ['FORBIDDEN', 'Give this user the right to read and write the store and all below it.'],
  EISDIR: ['NOT_A_FILE', 'A directory is where a file should be.'],
  EEXIST: ['NOT_A_FILE', 'A file is where a directory should be.'],
  ENOTDIR: ['NOT_A_FILE', 'A file is where a directory should be.'],
  // open(2) with O_NOFOLLOW fails with ELOOP if the last component is a link.
  ELOOP: [
    'FORBIDDEN',
    'Symbolic links below the root of the store are not followed: move the target itself there.',
  ],
  ENAMETOOLONG: ['OPTION_INVALID', 'The name is too long for the file system.'],
  EIO: [
    'STORE_FAILED',
    'The device reports an I/O error: look at the system log before you trust this store.',
  ],
  ESTALE: ['STORE_UNAVAILABLE', 'The network file system lost the file handle: try again once it is back.'],
  ETIMEDOUT: ['STORE_UNAVAILABLE', 'The network file system does not answer: try again once it is back.'],
  ENOTCONN: ['STORE_UNAVAILABLE', 'The FUSE process has exited: mount it again.'],
  EHOSTDOWN: ['STORE_UNAVAILABLE', 'The network file system does not answer: try again once it is back.'],
  EMFILE: ['STORE_UNAVAILABLE', 'Too many files are open: raise `ulimit -n`, or lower `concurrency`.'],
  ENFILE: ['STORE_UNAVAILABLE', 'Too many files are open on this machine.'],
}

/** Returns the errno name of a system error, such as `ENOENT`; undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const errors = errorMapper((error, call: FailedCall): ErrorMeaning => {
  const errno = errnoOf(error) ?? 'unknown error'
  const [code, advice] = meaningOf(errno, call)
  return { code, advice, reason: errno }
})

/** Wraps an error of a system call into a BackupError, as its `cause`. Returns a BackupError unchanged. */
export function storeError(error: unknown, call: FailedCall): BackupError {
  return errors.errorOf(error, call)
}

/** Runs `body`, and wraps its errors into BackupErrors. Rejects with `ABORTED` if the call's signal is aborted. */
export function runMapped<T>(call: FailedCall, body: () => Promise<T>): Promise<T> {
  return errors.run(call, body)
}

/** Resolves to the result, or to undefined if it fails with this errno. */
export async function ignoring<T>(errno: string, result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (errnoOf(error) === errno) return undefined
    throw error
  }
}

function meaningOf(errno: string, call: FailedCall): Meaning {
  if (errno === 'ENOENT' && call.missing === 'CONTAINER_MISSING') {
    return [
      'CONTAINER_MISSING',
      'The container does not exist, or was deleted. List the backups to see which exist.',
    ]
  }
  if (errno === 'ENOENT' && call.missing !== undefined) return [call.missing, 'It does not exist.']
  return meanings[errno] ?? ['STORE_FAILED', 'Check the file system.']
}

import type { OpenSource } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import type { CliIo } from './io.js'

/** The engine accepts records of at most 1 MiB: 1.4 MiB in base64, and the rest for white space. */
const maxFileBytes = 2 * 1024 * 1024

/**
 * Reads the text of a record file: a regular file, a pipe, or stdin for `-`. Reads no more than a record can have, and
 * stops when the signal is aborted, also while it waits for a pipe.
 *
 * @throws BackupError `NOT_A_FILE`, `SOURCE_READ`, `ABORTED`; CliError `SOURCE_NOT_FOUND`, `RECORD_INVALID`
 */
export async function readRecordFile(path: string, io: CliIo, signal: AbortSignal): Promise<string> {
  const source = await openSource(path, io, signal)
  try {
    const bytes = Buffer.alloc(maxFileBytes + 1)
    const length = await source.read(bytes, 0, { signal })
    if (length <= maxFileBytes) return bytes.toString('utf8', 0, length)
    const name = path === '-' ? 'stdin' : path
    throw new CliError(
      'RECORD_INVALID',
      `${name} has more than ${String(maxFileBytes)} bytes: no record is that long.`,
      { exitCode: exitCodes.corrupt, hint: 'Name a file that stowage export or cinder backup-export wrote.' },
    )
  } finally {
    await source.close()
  }
}

async function openSource(path: string, io: CliIo, signal: AbortSignal): Promise<OpenSource> {
  const { fileVolume, isBackupError, streamVolume } = await import('@stowage/backup-core')
  if (path === '-') return streamVolume(io.stdin).openSource({ signal })
  try {
    return await fileVolume(path, { holes: 'read' }).openSource({ signal })
  } catch (error) {
    const { cause } = error as { readonly cause?: NodeJS.ErrnoException }
    if (!isBackupError(error, 'SOURCE_READ') || cause?.code !== 'ENOENT') throw error
    throw new CliError('SOURCE_NOT_FOUND', `Cannot import ${path}: it does not exist.`, {
      exitCode: exitCodes.notFound,
      hint: 'Name a file that stowage export or cinder backup-export wrote, or - for stdin.',
      cause,
    })
  }
}

import { realpath, stat } from 'node:fs/promises'
import type { BackupSource } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import type { CliIo } from './io.js'
import type { SourceName } from './named-source.js'

/** A SOURCE of the command line. */
export interface NamedSource {
  readonly volume: BackupSource
  /** Absolute, with links resolved; undefined for stdin and pipes, which have no lasting name. */
  readonly realPath: string | undefined
}

/** How a SOURCE is read. */
export interface SourceSettings {
  /** How to treat the holes of a sparse file. @default that of `fileVolume` */
  readonly holes?: 'skip' | 'read'
  /** The size that it must have, in bytes. */
  readonly size?: number
}

/**
 * Returns the volume of a SOURCE, which the backup opens: `-` for stdin, a file, a block device, a pipe; or the command that writes it.
 *
 * @param onErrorLine - called with each line that the command writes to stderr
 * @throws CliError `SOURCE_NOT_FOUND`, `NOT_A_FILE`, `SOURCE_READ`
 */
export async function sourceOf(
  name: SourceName,
  io: CliIo,
  { holes, size }: SourceSettings,
  onErrorLine: (line: string) => void,
): Promise<NamedSource> {
  const sized = size === undefined ? {} : { sizeBytes: size }
  if (name.kind === 'command') {
    const { commandVolume } = await import('./command-source.js')
    const volume = commandVolume(name.command, { env: io.env, sizeBytes: size, onErrorLine })
    return { volume, realPath: undefined }
  }
  const source = name.path
  if (source === '-') {
    const { streamVolume } = await import('@stowage/backup-core')
    return { volume: streamVolume(io.stdin, sized), realPath: undefined }
  }
  const status = await statOf(source)
  if (status.isDirectory()) {
    throw new CliError('NOT_A_FILE', `Cannot back up ${source}: it is a directory.`, {
      exitCode: exitCodes.usage,
      hint: 'Stowage backs up disk images and block devices; of a directory, pipe an archive to "-".',
    })
  }
  const { fileVolume } = await import('@stowage/backup-core')
  const volume = fileVolume(source, { ...sized, ...(holes === undefined ? {} : { holes }) })
  return { volume, realPath: status.isFIFO() ? undefined : await realpath(source) }
}

async function statOf(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new CliError('SOURCE_NOT_FOUND', `Cannot back up ${path}: it does not exist.`, {
        exitCode: exitCodes.notFound,
        hint: 'Check the path.',
        cause,
      })
    }
    throw new CliError('SOURCE_READ', `Cannot read ${path}: ${message}`, {
      exitCode: exitCodes.failed,
      hint: 'Check its permissions.',
      cause,
    })
  }
}

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'

/** No configuration is longer, nor a file with the certificates of every authority. */
export const maxConfigBytes = 1024 * 1024

/** A FIFO opens at once, instead of when somebody writes to it; what opens is then looked at. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** Why a file is not read. */
export class NotReadableError extends Error {
  /** @param isMissing - whether there is no such file */
  constructor(
    message: string,
    readonly isMissing: boolean,
    cause?: unknown,
  ) {
    super(message, { cause })
    this.name = 'NotReadableError'
  }
}

/**
 * Reads a small regular file, symbolic links followed. Never waits for a writer: a FIFO and a device are refused.
 *
 * @throws NotReadableError
 */
export async function readRegularFile(path: string, maxBytes = maxConfigBytes): Promise<Buffer> {
  try {
    await using file = await open(path, flags)
    const sizeBytes = checked(await file.stat(), maxBytes)
    const buffer = Buffer.alloc(sizeBytes)
    const { bytesRead } = await file.read(buffer, 0, sizeBytes, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw notReadable(error)
  }
}

/** The same for callers that cannot wait. A regular file does not block, unless its disk does. */
export function readRegularFileSync(path: string, maxBytes = maxConfigBytes): Buffer {
  try {
    const file = openSync(path, flags)
    try {
      const sizeBytes = checked(fstatSync(file), maxBytes)
      const buffer = Buffer.alloc(sizeBytes)
      return buffer.subarray(0, readSync(file, buffer, 0, sizeBytes, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw notReadable(error)
  }
}

function checked(stats: Stats, maxBytes: number): number {
  if (!stats.isFile()) {
    throw new NotReadableError(
      `it is ${kindOf(stats)}, and not a regular file. Write the configuration to a file, and name that`,
      false,
    )
  }
  if (stats.size > maxBytes) {
    throw new NotReadableError(
      `it has ${stats.size} bytes, more than the ${maxBytes} that are read. Check that it is the file you mean`,
      false,
    )
  }
  return stats.size
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

function notReadable(error: unknown): NotReadableError {
  if (error instanceof NotReadableError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error'
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
  const why = isMissing
    ? 'there is no such file'
    : code === 'EACCES'
      ? 'this user may not read it'
      : `it cannot be opened (${code})`
  return new NotReadableError(`${why}. Check its path and its permissions`, isMissing, error)
}

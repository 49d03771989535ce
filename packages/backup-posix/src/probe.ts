import { BackupError } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ignoring } from './errors.js'
import { PosixObjectReader } from './object-reader.js'
import { PosixObjectWriter } from './object-writer.js'

/** Writes, renames, reads and deletes a small dot file, with the reader and writer of objects. */
export async function probe(
  directory: string,
  fsync: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const destination = { directory, container: directory, objectName: `.stowage-${randomUUID()}.probe` }
  const bytes = Buffer.from(destination.objectName)
  const writer = await PosixObjectWriter.open(destination, { fsync, exclusive: true }, signal)
  try {
    await writer.write(bytes)
    await writer.close()
    const reader = await PosixObjectReader.open(destination, signal)
    const found = await reader.read({ maxBytes: bytes.byteLength }).finally(() => reader.close())
    if (bytes.equals(found)) return
    throw new BackupError(
      'STORE_FAILED',
      `"${directory}" did not keep what was written to it: check the disk.`,
    )
  } finally {
    await writer.abort()
    await ignoring('ENOENT', unlink(join(directory, destination.objectName)))
  }
}

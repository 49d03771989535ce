import { open } from 'node:fs/promises'
import { errnoOf } from './file-errors.js'

/** Makes a new name durable. Not every system or file system can: there the name is as durable as it gets. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
  }
}

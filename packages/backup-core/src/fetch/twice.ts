import type { ChainLayer } from '../chain/chain-layer.js'
import { isBackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import type { ObjectSource } from './object-source.js'

/**
 * Reads once more what fails its check: a bad disk or a flipped bit on the way may be one replica's or one moment's.
 * What fails twice is `OBJECT_CORRUPT`.
 */
export async function twice<T>(
  source: ObjectSource,
  layer: ChainLayer,
  object: StoredObject,
  attempt: (again: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(false)
  } catch (error) {
    if (!isBackupError(error, 'OBJECT_CORRUPT')) throw error
    const result = await attempt(true)
    source.onWarning({
      code: 'OBJECT_REREAD',
      message: `${object.name} was damaged when first read and whole when read again: ${error.message}`,
      backupId: layer.record.id,
    })
    return result
  }
}

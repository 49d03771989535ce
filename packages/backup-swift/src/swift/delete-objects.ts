import type { BackupError, DeleteObjectOptions, FailedDelete, StoreOptions } from '@stowage/backup-core'
import { isBackupError, throwIfAborted } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import type { RetryPolicy } from '../http/retry.js'
import { bulkDelete } from './bulk-delete.js'
import { objectPath } from './names.js'
import { objectExists } from './object-exists.js'
import type { SwiftTransport } from './swift-transport.js'

/** One bulk request deletes no more than this, so that none of them takes minutes. */
const maxBulkNames = 1000
const deletesAtOnce = 8

/** Deletes an object; one that is not there is deleted, also where every answer to the DELETE was lost. */
export async function deleteObject(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  options: DeleteObjectOptions = {},
  policy?: Partial<RetryPolicy>,
): Promise<void> {
  const onFailedAttempt = (error: BackupError): void => {
    if (error.code === 'STORE_UNAVAILABLE') options.onUnanswered?.()
  }
  try {
    await transport.send(
      {
        method: 'DELETE',
        path: objectPath(container, objectName),
        what: `Deleting object ${objectName} from container ${container}`,
        details: { container, objectName },
        accept: (status) => status === 204 || status === 200 || status === 404,
        sink: discard,
      },
      options.signal,
      { ...policy, onFailedAttempt },
    )
  } catch (error) {
    // Answers that were lost may have been successes: what is gone is deleted.
    if (!isBackupError(error, 'STORE_UNAVAILABLE')) throw error
    const once = { retries: 0 }
    if (await objectExists(transport, container, objectName, options, once).catch(() => true)) throw error
  }
}

/**
 * Deletes objects, in bulk where the cluster can, else a few at a time, and returns those that could not be deleted.
 * `maxDeletes` asks how many one request may delete; 0 or 1 for no bulk delete.
 */
export async function deleteObjects(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  maxDeletes: () => Promise<number>,
  options: StoreOptions = {},
): Promise<FailedDelete[]> {
  const left =
    objectNames.length > 1
      ? await deleteInBulk(transport, container, objectNames, maxDeletes, options)
      : objectNames
  return deleteOneByOne(transport, container, left, options)
}

/** Deletes what it can by bulk requests, and returns the names that are left to be deleted one by one. */
async function deleteInBulk(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  maxDeletes: () => Promise<number>,
  options: StoreOptions,
): Promise<readonly string[]> {
  const left: string[] = []
  let done = 0
  try {
    const batchNames = Math.min(await maxDeletes(), maxBulkNames)
    if (batchNames < 2) return objectNames
    for (; done < objectNames.length; done += batchNames) {
      const batch = objectNames.slice(done, done + batchNames)
      left.push(...(await bulkDelete(transport, container, batch, options)))
    }
    return left
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'CLOSED')) throw error
    // Each object gets its own try, and its own error where that fails too.
    return [...left, ...objectNames.slice(done)]
  }
}

async function deleteOneByOne(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  options: StoreOptions,
): Promise<FailedDelete[]> {
  const failed: FailedDelete[] = []
  const queue = objectNames.values()
  const work = async (): Promise<void> => {
    for (const objectName of queue) {
      throwIfAborted(options.signal, 'Deleting objects')
      try {
        await deleteObject(transport, container, objectName, options)
      } catch (error) {
        throwIfAborted(options.signal, 'Deleting objects')
        failed.push({ objectName, error })
      }
    }
  }
  // All of them are waited for: nothing goes on after an abort.
  const outcomes = await Promise.allSettled(Array.from({ length: deletesAtOnce }, work))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return failed
}

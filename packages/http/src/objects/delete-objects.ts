import {
  BackupError,
  isBackupError,
  throwIfAborted,
  type DeleteObjectOptions,
  type FailedDelete,
  type StoreOptions,
} from '@stowage/backup-core'
import { discard } from '../bodies.js'
import type { RetryPolicy } from '../retry.js'
import { withoutUndefined } from '../without-undefined.js'
import type { ObjectAddress, ObjectCall, ObjectServer } from './object-server.js'
import { objectExists } from './object-state.js'

const concurrentDeletes = 8

/** Deletes an object. Succeeds if it does not exist, also if every response to the DELETE was lost. */
export async function deleteObject(
  server: ObjectServer,
  { container, objectName }: ObjectAddress,
  options: DeleteObjectOptions = {},
  policy?: Partial<RetryPolicy>,
): Promise<void> {
  const call: ObjectCall<undefined> = {
    method: 'DELETE',
    object: { container, objectName },
    what: `Deleting object ${objectName} from container ${container}`,
    details: { container, objectName },
    accept: [204, 200, 404],
    sink: discard,
  }
  const onFailedAttempt = (error: BackupError): void => {
    if (error.code === 'STORE_UNAVAILABLE') options.onUnanswered?.()
  }
  try {
    await server.retrying(call.what, () => server.sendOnce(call, options.signal), options.signal, {
      ...policy,
      onFailedAttempt,
    })
  } catch (error) {
    // A lost response may have been a success: an object that no longer exists is deleted.
    if (!isBackupError(error, 'STORE_UNAVAILABLE')) throw error
    const once = { ...withoutUndefined({ signal: options.signal }), policy: { retries: 0 } }
    if (await objectExists(server, { container, objectName }, once).catch(() => true)) throw error
  }
}

/** Deletes objects one by one, a few concurrently, and returns those that could not be deleted. */
export async function deleteOneByOne(
  server: ObjectServer,
  container: string,
  objectNames: readonly string[],
  options: StoreOptions = {},
): Promise<FailedDelete[]> {
  const failed: FailedDelete[] = []
  const queue = objectNames.values()
  const work = async (): Promise<void> => {
    for (const objectName of queue) {
      throwIfAborted(options.signal, 'Deleting objects')
      try {
        await deleteObject(server, { container, objectName }, options)
      } catch (error) {
        throwIfAborted(options.signal, 'Deleting objects')
        failed.push({ objectName, error })
      }
    }
  }
  // Waits for all: no request continues after an abort.
  const outcomes = await Promise.allSettled(Array.from({ length: concurrentDeletes }, work))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return failed
}

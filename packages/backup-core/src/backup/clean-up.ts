import { CLEAN_UP_MS, incomplete, uncommit, type CleanUpDeps } from '../commit/uncommit.js'
import { manifestObjectName } from '../format/object-names.js'
import type { Destination } from './destination.js'

/**
 * Removes the objects of a failed backup, and then its claim. Every object that this run may have created is removed, also
 * those whose write failed: the response that was lost may have been a success. Objects that another run created are kept.
 *
 * @returns the error to throw: the first failure, or `CLEANUP_INCOMPLETE` with it as the cause and the names that are left
 */
export async function cleanUp(
  deps: CleanUpDeps,
  destination: Destination,
  failure: unknown,
): Promise<unknown> {
  const { container, writer } = destination.sink
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const leftovers: string[] = []
  let outcome = failure
  if (writer.names.has(manifestObjectName(destination.prefix))) {
    const { id, volumeId } = destination.prepared.backup
    const backup = { id, volumeId, container, prefix: destination.prefix }
    outcome = await uncommit(deps, backup, writer.names, failure, signal)
  } else if (writer.names.size > 0) {
    leftovers.push(...(await remove(destination, [...writer.names], signal)))
  }
  const claim = await destination.claim.catch(() => null)
  await claim?.release({ signal }).catch(() => leftovers.push(claim.objectName))
  if (leftovers.length === 0) return outcome
  return incomplete(
    outcome,
    `The backup's objects could not be removed: ${leftovers.length} of them may be left in ${container}, such as ` +
      `${leftovers[0] ?? ''}. \`removeOrphans\` removes them once they are a day old.`,
    { container, leftovers },
  )
}

/** @returns the names of objects that may be left */
async function remove(
  { sink: { store, container } }: Destination,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const failed = await store.deleteObjects(container, names, { signal })
    return failed.map(({ objectName }) => objectName)
  } catch {
    return names
  }
}

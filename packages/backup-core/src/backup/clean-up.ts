import { BackupError } from '../errors/backup-error.js'
import { controlObjectNames } from '../store/list-objects.js'
import type { Destination } from './destination.js'

/** How long a clean-up may take; it runs after the caller's own signal has spoken. */
const CLEAN_UP_MS = 60_000

/**
 * Removes what a failed backup wrote, the commit object first. Every name that may have been written is deleted, also
 * those whose write failed: an answer that was lost may have been a success.
 *
 * @returns the error to throw: the first failure, or `CLEANUP_INCOMPLETE` with it as the cause and what is left
 */
export async function cleanUp(
  { sink: { store, container }, prefix }: Destination,
  objectNames: readonly string[],
  failure: unknown,
): Promise<unknown> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const leftovers: string[] = []
  for (const batch of [[metadataName], [sha256fileName, ...objectNames]]) {
    try {
      const failed = await store.deleteObjects(container, batch, { signal })
      leftovers.push(...failed.map(({ objectName }) => objectName))
    } catch {
      leftovers.push(...batch)
    }
  }
  if (leftovers.length === 0) return failure
  const why = failure instanceof Error ? failure.message : String(failure)
  return new BackupError(
    'CLEANUP_INCOMPLETE',
    `${why} Of what had been written, ${leftovers.length} object(s) may be left in ${container}, ${leftovers[0] ?? ''} for one: delete them when the store answers again.`,
    { cause: failure, container, leftovers },
  )
}

import { BackupError } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import type { Destination } from './destination.js'

/** How long a clean-up may take; it runs after the caller's own signal was aborted. */
const CLEAN_UP_MS = 60_000

/**
 * Removes what a failed backup wrote, the commit object first, and then its claim. Every name that this run may have
 * created is deleted, also those whose write failed: an answer that was lost may have been a success. Objects that another
 * run created are left.
 *
 * @returns the error to throw: the first failure, or `CLEANUP_INCOMPLETE` with it as the cause and what is left
 */
export async function cleanUp(
  { sink: { store, container, written }, prefix, claim }: Destination,
  failure: unknown,
): Promise<unknown> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const metadataName = metadataObjectName(prefix)
  const others = [...written.names].filter((name) => name !== metadataName)
  const leftovers: string[] = []
  for (const batch of [written.names.has(metadataName) ? [metadataName] : [], others]) {
    if (batch.length === 0) continue
    // While the commit object may be there, so must be all that it names.
    if (leftovers.length > 0) {
      leftovers.push(...batch)
      continue
    }
    try {
      const failed = await store.deleteObjects(container, batch, { signal })
      leftovers.push(...failed.map(({ objectName }) => objectName))
    } catch {
      leftovers.push(...batch)
    }
  }
  await claim?.release({ signal }).catch(() => leftovers.push(claim.objectName))
  if (leftovers.length === 0) return failure
  const why = failure instanceof Error ? failure.message : String(failure)
  return new BackupError(
    'CLEANUP_INCOMPLETE',
    `${why} Of what had been written, ${leftovers.length} object(s) may be left in ${container}, ${leftovers[0] ?? ''} for one. \`removeOrphans\` removes them once they are a day old.`,
    { cause: failure, container, leftovers },
  )
}

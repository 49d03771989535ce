import type { BackupRecord } from '@stowage/backup-core'
import { cinderAlgorithms, rawNames } from '../compression/algorithms.js'

const cinderNames = new Set([...rawNames, ...cinderAlgorithms])

/** The compression algorithms of these backups that Cinder does not know, each once. */
export function unknownToCinder(records: readonly BackupRecord[]): string[] {
  const names = records.flatMap(({ compressions = [] }) => compressions)
  return [...new Set(names.filter((name) => !cinderNames.has(name.toLowerCase())))]
}

/** The same for a backup and its ancestors, as far as they are among the records. */
export function unknownInChain(record: BackupRecord, byId: ReadonlyMap<string, BackupRecord>): string[] {
  const chain = new Set<BackupRecord>()
  for (let next: BackupRecord | undefined = record; next && !chain.has(next);) {
    chain.add(next)
    next = next.parentId === null ? undefined : byId.get(next.parentId)
  }
  return unknownToCinder([...chain])
}

/** The line of `show` about a backup's compression. */
export function compressionText(record: BackupRecord, chain: readonly BackupRecord[]): string {
  const own = record.compressions ?? []
  const names = own.length === 0 ? 'none' : own.join(', ')
  const unknown = unknownToCinder(chain)
  if (unknown.length === 0) return names
  if (unknownToCinder([record]).length > 0) return `${names} (Cinder cannot restore this backup)`
  return `${names}, on ${unknown.join(', ')} of a parent (Cinder cannot restore this backup)`
}

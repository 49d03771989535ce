import type { BackupRecord } from '@stowage/backup-core'
import { compressionWords, rawWords } from '../compression/words.js'

const cinderWords = new Set([...rawWords, ...compressionWords.map(({ word }) => word)])

/** The compressions of some backups that Cinder does not know, each once. */
export function wordsUnknownToCinder(records: readonly BackupRecord[]): string[] {
  const words = records.flatMap(({ compressions = [] }) => compressions)
  return [...new Set(words.filter((word) => !cinderWords.has(word.toLowerCase())))]
}

/** The same of a backup and of all that it stands on, as far as they are among the records. */
export function wordsOfChain(record: BackupRecord, byId: ReadonlyMap<string, BackupRecord>): string[] {
  const chain = new Set<BackupRecord>()
  for (let next: BackupRecord | undefined = record; next && !chain.has(next);) {
    chain.add(next)
    next = next.parentId === null ? undefined : byId.get(next.parentId)
  }
  return wordsUnknownToCinder([...chain])
}

/** What `show` says of a backup's compressions. */
export function compressionText(record: BackupRecord, chain: readonly BackupRecord[]): string {
  const own = record.compressions ?? []
  const words = own.length === 0 ? 'none' : own.join(', ')
  const unknown = wordsUnknownToCinder(chain)
  if (unknown.length === 0) return words
  if (wordsUnknownToCinder([record]).length > 0) return `${words} (Cinder cannot restore this backup)`
  return `${words}, on ${unknown.join(', ')} of a parent (Cinder cannot restore this backup)`
}

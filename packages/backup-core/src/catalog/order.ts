import type { BackupRecord } from '../driver/types.js'
import { parseCreatedAt } from '../format/timestamps.js'

/** What the order of backups is told by. */
type Ordered = Pick<BackupRecord, 'id' | 'parentId' | 'createdAt'>

/** Oldest first, and a parent always before its children, whatever the clocks said. */
export function inOrder<Backup extends Ordered>(records: readonly Backup[]): Backup[] {
  const byAge = [...records].sort((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : Number(a.id > b.id)))
  const byId = new Map(byAge.map((record) => [record.id, record]))
  const ordered: Backup[] = []
  const placed = new Set<Backup>()
  for (const record of byAge) {
    const line: Backup[] = []
    for (let next: Backup | undefined = record; next && !placed.has(next);) {
      placed.add(next)
      line.push(next)
      next = next.parentId === null ? undefined : byId.get(next.parentId)
    }
    ordered.push(...line.reverse())
  }
  return ordered
}

function timeOf(record: Ordered): number {
  return parseCreatedAt(record.createdAt)?.getTime() ?? 0
}

import type { ChainLayer } from '../chain/chain.js'
import { BackupError } from '../errors/backup-error.js'

/**
 * Rejects a backup of the destination that has the id of a backup of the source, and is another one.
 *
 * @throws BackupError `BACKUP_EXISTS`
 */
export function assertSameBackup(source: ChainLayer, found: ChainLayer): void {
  const difference = differenceOf(source, found)
  if (difference === undefined) return
  const { id, container, prefix } = found.record
  throw new BackupError(
    'BACKUP_EXISTS',
    `Cannot copy backup ${id}: the destination has a different backup with this id, ${prefix} in ${container}: ${difference}. ` +
      'Delete that one, if it is not needed, or copy to another store.',
    { backupId: id, container },
  )
}

function differenceOf(source: ChainLayer, found: ChainLayer): string | undefined {
  for (const key of ['volumeId', 'parentId', 'createdAt'] as const) {
    const [expected, actual] = [source.manifest[key], found.manifest[key]]
    if (expected !== actual) return `its ${key} is ${String(actual)}, expected ${String(expected)}`
  }
  const [objects, others] = [source.manifest.objects, found.manifest.objects]
  if (objects.length !== others.length) return `it has ${others.length} objects, expected ${objects.length}`
  for (const [index, object] of objects.entries()) {
    const other = others[index]
    const isSame =
      other?.name.slice(found.record.prefix.length) === object.name.slice(source.record.prefix.length) &&
      other.offsetBytes === object.offsetBytes &&
      other.lengthBytes === object.lengthBytes &&
      other.compression === object.compression &&
      other.md5 === object.md5
    if (!isSame) return `its object ${other?.name ?? ''} is not the same as ${object.name}`
  }
  return undefined
}

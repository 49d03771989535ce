import type { ObjectStore } from '../contracts/object-store.js'
import type { NewBackup } from '../contracts/records.js'
import { idProblem } from './object-names.js'

/** What precedes the backup's id in the prefixes of Cinder's drivers. */
const cinderHeads: readonly RegExp[] = [
  // POSIX
  /^volume_[^/]+_\d{14}_backup_$/,
  // Swift, S3
  /^volume_[^/]+\/\d{14}\/az_[^/]*_backup_$/,
]

/** An example: drivers choose a prefix by nothing but such a backup. */
export const sampleBackup: NewBackup = {
  id: '5a3c1e7f-4b2d-4c6e-8f90-9d1e2f3a4b5c',
  volumeId: '7b1d9e2c-3a5f-4e8d-9c71-4f6a5b8c7d9e',
  parentId: null,
  container: null,
  name: null,
  description: null,
  createdAt: new Date('2013-11-17T21:43:58Z'),
}

/**
 * Parses the backup's id from the prefix of its objects: in the form of Cinder's drivers, and in that of this
 * driver, given by an example. Other names do not belong to backups, whatever they end with.
 */
export class PrefixParser {
  private readonly heads: readonly RegExp[]

  constructor(store: Pick<ObjectStore, 'generateObjectNamePrefix'>) {
    const own = headOf(store.generateObjectNamePrefix(sampleBackup))
    this.heads = own ? [...cinderHeads, own] : cinderHeads
  }

  /** Returns none for what is not a backup's prefix, and several ids where its end fits several. */
  parse(prefix: string): readonly string[] {
    const backupIds: string[] = []
    for (let start = 1; start < prefix.length; start += 1) {
      const backupId = prefix.slice(start)
      const head = prefix.slice(0, start)
      if (idProblem(backupId) === null && this.heads.some((pattern) => pattern.test(head)))
        backupIds.push(backupId)
    }
    return backupIds
  }
}

/** What comes before the id in a driver's prefixes, as a pattern; undefined where the id is not at the end. */
function headOf(example: string): RegExp | undefined {
  if (!example.endsWith(sampleBackup.id)) return undefined
  const head = example.slice(0, -sampleBackup.id.length)
  const pattern = head
    .split(sampleBackup.volumeId)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\d/g, '\\d'))
    .join('[0-9A-Za-z._-]+')
  // A driver whose prefix is the id alone would make a backup of every name.
  return head === '' ? undefined : new RegExp(`^${pattern}$`)
}

/**
 * Whether two prefixes of one backup have the layout of the same driver of Cinder's. They may still differ, such as in the
 * availability zone.
 */
export function haveSameLayout(one: string, other: string, backupId: string): boolean {
  const head = (prefix: string): string =>
    prefix.endsWith(backupId) ? prefix.slice(0, -backupId.length) : ''
  return cinderHeads.some((pattern) => pattern.test(head(one)) && pattern.test(head(other)))
}

/**
 * Whether the backup with this prefix may be of the volume. Cinder's drivers begin a prefix with `volume_`, the id of the
 * volume, and `_` or `/`: one that begins with another id is another volume's, unless its objects were renamed, and then
 * no reader accepts them as a backup. Any other prefix says nothing about the volume.
 */
export function mayBeOfVolume(prefix: string, volumeId: string | undefined): boolean {
  if (volumeId === undefined || !prefix.startsWith('volume_')) return true
  const head = volumePrefix(volumeId)
  return prefix.startsWith(`${head}_`) || prefix.startsWith(`${head}/`)
}

/** The beginning of the prefixes of a volume's backups, by Cinder's drivers. Those of a longer id may begin so as well. */
export function volumePrefix(volumeId: string): string {
  return `volume_${volumeId}`
}

/** When a backup of the volume began, by a prefix of Cinder's drivers: `YYYYMMDDhhmmss`. Undefined for any other prefix. */
export function startSecondOf(prefix: string, volumeId: string): string | undefined {
  const head = volumePrefix(volumeId)
  if (!prefix.startsWith(head)) return undefined
  return /^[_/](\d{14})[_/]/.exec(prefix.slice(head.length))?.[1]
}

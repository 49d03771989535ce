import { BackupError } from '../errors/backup-error.js'

export { assertBackupId, assertContainerName, assertObjectName, assertVolumeId } from './name-rules.js'

/** What the commit object's name ends with. */
export const METADATA_SUFFIX = '_metadata'
/** What the name of the object of block hashes ends with. */
export const SHA256FILE_SUFFIX = '_sha256file'

/** Up to fifteen digits, so that a number from a store is always a safe integer. */
const chunkSuffixPattern = /^-[0-9]{5,15}$/

/**
 * The name of a chunk object: `-%05d` after the prefix. From 100000 on it has six digits, so that names no longer sort
 * in order: the list in `_metadata` keeps it.
 * @param number from 1
 */
export function chunkObjectName(prefix: string, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new BackupError('OPTION_INVALID', `Chunk objects are numbered from 1; ${number} is no such number.`)
  }
  return `${prefix}-${String(number).padStart(5, '0')}`
}

/** The name of the object whose presence makes a backup a backup. */
export function metadataObjectName(prefix: string): string {
  return prefix + METADATA_SUFFIX
}

/** The name of the object that holds the hash of every block of the volume. */
export function sha256fileObjectName(prefix: string): string {
  return prefix + SHA256FILE_SUFFIX
}

/** Whether `suffix` is what follows the prefix in a chunk object's name. */
export function isChunkSuffix(suffix: string): boolean {
  return chunkSuffixPattern.test(suffix)
}

/**
 * Whether the object is one of the backup with this prefix. Stricter than `startsWith`, which would give the objects of
 * backups `ab` and `a-b` to backup `a`.
 */
export function isBackupObjectName(prefix: string, objectName: string): boolean {
  if (!objectName.startsWith(prefix)) return false
  const suffix = objectName.slice(prefix.length)
  return suffix === METADATA_SUFFIX || suffix === SHA256FILE_SUFFIX || isChunkSuffix(suffix)
}

/** The prefix of the backup that an object of this name belongs to; null for a name that no backup's object has. */
export function backupPrefixOf(objectName: string): string | null {
  const suffix = /(?:_metadata|_sha256file|-[0-9]{5,15})$/.exec(objectName)
  return suffix && suffix.index > 0 ? objectName.slice(0, suffix.index) : null
}

/** The prefix of the backup whose `_metadata` object this is; null for any other object. */
export function prefixOfMetadataObject(objectName: string): string | null {
  if (!objectName.endsWith(METADATA_SUFFIX) || objectName.length === METADATA_SUFFIX.length) return null
  return objectName.slice(0, -METADATA_SUFFIX.length)
}

/** The prefix of the backup that an object may be of, by the suffix of its name; undefined for a name without such one. */
export function prefixOfBackupObject(
  objectName: string,
): { readonly prefix: string; readonly isMetadata: boolean } | undefined {
  for (const suffix of [METADATA_SUFFIX, SHA256FILE_SUFFIX]) {
    if (objectName.endsWith(suffix) && objectName.length > suffix.length) {
      return { prefix: objectName.slice(0, -suffix.length), isMetadata: suffix === METADATA_SUFFIX }
    }
  }
  const suffixStart = objectName.lastIndexOf('-')
  if (suffixStart < 1 || !isChunkSuffix(objectName.slice(suffixStart))) return undefined
  return { prefix: objectName.slice(0, suffixStart), isMetadata: false }
}

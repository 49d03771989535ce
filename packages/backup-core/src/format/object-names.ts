import { BackupError } from '../errors/backup-error.js'

/** Swift's limit counts characters; file systems count bytes. */
export const maxObjectNameBytes = 1024
const maxContainerNameBytes = 256

const idPattern = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/
/** With the `u` flag only lone surrogates match. */
const loneSurrogate = /\p{Surrogate}/u

/** Returns the problem of a path in a store, or null. */
function pathProblem(path: string, maxBytes: number): string | null {
  if (path === '') return 'is empty'
  if (path.includes('\0')) return 'contains a NUL'
  if (loneSurrogate.test(path)) return 'contains a lone surrogate, which is not a character'
  if (Buffer.byteLength(path) > maxBytes) return `is longer than ${maxBytes} bytes`
  for (const segment of path.split('/')) {
    if (segment === '') return 'begins or ends with `/`, or has two of them in a row'
    if (segment === '.' || segment === '..') return `has the segment \`${segment}\`, which leads elsewhere`
  }
  return null
}

/** Returns the problem of an object name, or null. */
export function objectNameProblem(name: string, maxBytes: number = maxObjectNameBytes): string | null {
  return pathProblem(name, Math.min(maxBytes, maxObjectNameBytes))
}

/** Returns the problem of a container name, or null. The POSIX driver's containers may contain `/`; Swift's may not. */
export function containerNameProblem(name: string): string | null {
  return pathProblem(name, maxContainerNameBytes)
}

/** Returns the problem of an id that becomes a part of object names, or null. */
export function idProblem(id: string): string | null {
  if (!idPattern.test(id))
    return 'is not 1 to 128 of the characters 0-9 A-Z a-z . _ -, the first a letter or digit'
  if (id.includes('..')) return 'contains `..`'
  return null
}

/** Quotes, escapes and cuts a name for a message. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

/**
 * Rejects names that no store takes, or that lead out of a directory.
 *
 * @param maxBytes - the store's maximum
 * @throws BackupError `OPTION_INVALID`
 */
export function assertObjectName(name: string, maxBytes?: number): void {
  const advice = 'Use shorter ids, without special characters, or change the prefix that the driver makes.'
  assertName('object name', name, objectNameProblem(name, maxBytes), advice)
}

/** Rejects container names that no store takes, or that lead out of a directory. @throws BackupError `OPTION_INVALID` */
export function assertContainerName(name: string): void {
  assertName('container name', name, containerNameProblem(name), 'Choose another container.')
}

/** @throws BackupError `OPTION_INVALID` unless the id is fit to be a part of object names */
export function assertBackupId(id: string): void {
  assertName('backup id', id, idProblem(id), 'Use a UUID, or a short word.')
}

/** @throws BackupError `OPTION_INVALID` unless the id is fit to be a part of object names */
export function assertVolumeId(id: string): void {
  assertName('volume id', id, idProblem(id), 'Use the UUID of the volume, or a short word.')
}

function assertName(what: string, name: string, problem: string | null, next: string): void {
  if (problem === null) return
  throw new BackupError('OPTION_INVALID', `The ${what} ${quoted(name)} ${problem}. ${next}`)
}

/** The suffix of the manifest's name. */
export const METADATA_SUFFIX = '_metadata'
/** The suffix of the name of the object with block hashes. */
export const SHA256FILE_SUFFIX = '_sha256file'

/** Up to fifteen digits, so that a number from a store is always a safe integer. */
const chunkSuffixPattern = /^-[0-9]{5,15}$/

/**
 * The name of a data object: `-%05d` after the prefix. From 100000 on it has six digits, so that names no longer sort
 * in order: the list in `_metadata` keeps it.
 * @param number from 1
 */
export function dataObjectName(prefix: string, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new BackupError('OPTION_INVALID', `Data objects are numbered from 1, not ${number}.`)
  }
  return `${prefix}-${String(number).padStart(5, '0')}`
}

/** The name of the object whose presence makes a backup a backup. */
export function manifestObjectName(prefix: string): string {
  return prefix + METADATA_SUFFIX
}

/** The name of the object that holds the hash of every block of the volume. */
export function sha256fileObjectName(prefix: string): string {
  return prefix + SHA256FILE_SUFFIX
}

/** Whether `suffix` is that of a data object's name. */
export function isChunkSuffix(suffix: string): boolean {
  return chunkSuffixPattern.test(suffix)
}

/**
 * The prefix of the backup that an object may be of, and which of its objects, by the suffix of its name. Undefined for a
 * name without such a suffix.
 */
export function parseObjectName(
  objectName: string,
): { readonly prefix: string; readonly isMetadata: boolean } | undefined {
  const suffix = /(?:_metadata|_sha256file|-[0-9]{5,15})$/.exec(objectName)
  if (!suffix || suffix.index === 0) return undefined
  return { prefix: objectName.slice(0, suffix.index), isMetadata: suffix[0] === METADATA_SUFFIX }
}

/**
 * Whether the object is one of the backup with this prefix. Stricter than `startsWith`, which would give the objects of
 * backups `ab` and `a-b` to backup `a`.
 */
export function isBackupObjectName(prefix: string, objectName: string): boolean {
  return objectName.startsWith(prefix) && parseObjectName(objectName)?.prefix === prefix
}

/** The prefix of the backup whose `_metadata` object this is; null for any other object. */
export function prefixOfManifestObject(objectName: string): string | null {
  const isMetadata = objectName.endsWith(METADATA_SUFFIX) && objectName.length > METADATA_SUFFIX.length
  return isMetadata ? objectName.slice(0, -METADATA_SUFFIX.length) : null
}

/**
 * Objects beside the backups: claims, and markers of deletes. None begins with a backup's prefix, which would make Cinder
 * refuse to restore that backup, and none ends with `_metadata`.
 */
const CLAIM_PREFIX = 'stowage-claim_'
const MARKER_PREFIX = 'stowage-deleting_'
/** Ends every marker's name, so that the marker of an id that ends with `_metadata` does not look like a manifest. */
const MARKER_SUFFIX = '.v1'

/** After the id comes a token: 32 hex digits, or the time of a prefix. Neither has a `_`. */
const claimPattern = /^stowage-claim_(.+)_(?:[0-9a-f]{32}|\d{14})$/s
const markerPattern = /^stowage-deleting_(.+)_[0-9a-f]{32}\.v1$/s

/** The beginning of the names of all claims to a backup id, and to longer ids. */
export function claimNamePrefix(backupId: string): string {
  return `${CLAIM_PREFIX}${backupId}_`
}

/** @param token - {@link parseClaimName} has the two forms */
export function claimObjectName(backupId: string, token: string): string {
  return claimNamePrefix(backupId) + token
}

/** The id that an object claims; undefined for an object that is not a claim. */
export function parseClaimName(objectName: string): string | undefined {
  return claimPattern.exec(objectName)?.[1]
}

/** The beginning of the names of all markers of a backup, and of longer ids. */
export function markerNamePrefix(backupId: string): string {
  return `${MARKER_PREFIX}${backupId}_`
}

/**
 * The name of an object that marks a backup as being deleted.
 *
 * @param token - 32 hex digits: each delete has a marker of its own, which no other one replaces
 */
export function markerObjectName(backupId: string, token: string): string {
  return markerNamePrefix(backupId) + token + MARKER_SUFFIX
}

/** The id of the backup that an object marks as being deleted; undefined for an object that is not a marker. */
export function parseMarkerName(objectName: string): string | undefined {
  return markerPattern.exec(objectName)?.[1]
}

import { isPrefixTimestamp } from './timestamps.js'

/**
 * Objects beside the backups: claims, and markers of deletes. None begins with a backup's prefix, which would make Cinder
 * refuse to restore that backup, and none ends with `_metadata`.
 */
const CLAIM_PREFIX = 'stowage-claim_'
const MARKER_PREFIX = 'stowage-deleting_'
/** Ends every marker's name, so that the marker of an id that ends with `_metadata` does not look like a manifest. */
const MARKER_SUFFIX = '.v1'

/** 32 hex digits, or the time of a prefix: neither has the `_` that separates it from the id. */
const tokenPattern = /^[0-9a-f]{32}$/

/** The beginning of the names of all claims to a backup id, and to longer ids. */
export function claimNamesBegin(backupId: string): string {
  return `${CLAIM_PREFIX}${backupId}_`
}

/** @param token - {@link parseClaimName} has the two forms */
export function claimObjectName(backupId: string, token: string): string {
  return claimNamesBegin(backupId) + token
}

/** The id that an object claims; undefined for an object that is not a claim. */
export function parseClaimName(objectName: string): string | undefined {
  if (!objectName.startsWith(CLAIM_PREFIX)) return undefined
  const tokenStart = objectName.lastIndexOf('_') + 1
  const token = objectName.slice(tokenStart)
  if (!tokenPattern.test(token) && !isPrefixTimestamp(token)) return undefined
  return objectName.slice(CLAIM_PREFIX.length, tokenStart - 1) || undefined
}

/** The beginning of the names of all markers of a backup, and of longer ids. */
export function markerNamesBegin(backupId: string): string {
  return `${MARKER_PREFIX}${backupId}_`
}

/**
 * The name of an object that marks a backup as being deleted.
 *
 * @param token - 32 hex digits: each delete has a marker of its own, which no other one replaces
 */
export function markerObjectName(backupId: string, token: string): string {
  return markerNamesBegin(backupId) + token + MARKER_SUFFIX
}

/** The id of the backup that an object marks as being deleted; undefined for an object that is not a marker. */
export function parseMarkerName(objectName: string): string | undefined {
  if (!objectName.startsWith(MARKER_PREFIX) || !objectName.endsWith(MARKER_SUFFIX)) return undefined
  const tokenStart = objectName.lastIndexOf('_') + 1
  if (!tokenPattern.test(objectName.slice(tokenStart, -MARKER_SUFFIX.length))) return undefined
  return objectName.slice(MARKER_PREFIX.length, tokenStart - 1) || undefined
}

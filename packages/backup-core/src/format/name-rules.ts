import { BackupError } from '../errors/backup-error.js'

/** Swift's limit counts characters; bytes are what a file system counts. */
export const maxObjectNameBytes = 1024
const maxContainerNameBytes = 256

const idPattern = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/
/** With the `u` flag a surrogate that is half of a pair does not match: these are the lone ones. */
const loneSurrogate = /\p{Surrogate}/u

/** What is wrong with a path that a store is asked for, or null. */
function pathProblem(path: string, maxBytes: number): string | null {
  if (path === '') return 'is empty'
  if (path.includes('\0')) return 'has a NUL in it'
  if (loneSurrogate.test(path)) return 'has half of a surrogate pair in it, which is no character'
  if (Buffer.byteLength(path) > maxBytes) return `is longer than ${maxBytes} bytes`
  for (const segment of path.split('/')) {
    if (segment === '') return 'begins or ends with `/`, or has two of them in a row'
    if (segment === '.' || segment === '..') return `has the segment \`${segment}\`, which leads elsewhere`
  }
  return null
}

/** What is wrong with an object name, or null. */
export function objectNameProblem(name: string, maxBytes: number = maxObjectNameBytes): string | null {
  return pathProblem(name, Math.min(maxBytes, maxObjectNameBytes))
}

/** What is wrong with a container name, or null. POSIX's own containers have `/` in them; Swift's driver refuses it. */
export function containerNameProblem(name: string): string | null {
  return pathProblem(name, maxContainerNameBytes)
}

/** What is wrong with an id that becomes a part of object names, or null. */
export function idProblem(id: string): string | null {
  if (!idPattern.test(id))
    return 'is not 1 to 128 of the characters 0-9 A-Z a-z . _ -, the first a letter or digit'
  if (id.includes('..')) return 'has `..` in it'
  return null
}

function assertName(what: string, name: string, problem: string | null, next: string): void {
  if (problem === null) return
  throw new BackupError('OPTION_INVALID', `The ${what} ${quoted(name)} ${problem}. ${next}`)
}

/** A name from outside, fit for a message: in quotes, escaped and cut. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

/**
 * Refuses names that no store takes, or that lead out of a directory.
 *
 * @param maxBytes - the maximum of the store at hand
 * @throws BackupError `OPTION_INVALID`
 */
export function assertObjectName(name: string, maxBytes?: number): void {
  const advice = 'Use shorter ids, without special characters, or change the prefix that the driver makes.'
  assertName('object name', name, objectNameProblem(name, maxBytes), advice)
}

/**
 * Refuses container names that no store takes, or that lead out of a directory.
 * @throws BackupError `OPTION_INVALID`
 */
export function assertContainerName(name: string): void {
  assertName('container name', name, containerNameProblem(name), 'Choose another container.')
}

/**
 * @throws BackupError `OPTION_INVALID` unless the id is fit to be a part of object names.
 */
export function assertBackupId(id: string): void {
  assertName('backup id', id, idProblem(id), 'Use a UUID, or a short word.')
}

/**
 * @throws BackupError `OPTION_INVALID` unless the id is fit to be a part of object names.
 */
export function assertVolumeId(id: string): void {
  assertName('volume id', id, idProblem(id), 'Use the UUID of the volume, or a short word.')
}

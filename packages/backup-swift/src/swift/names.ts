import { BackupError } from '@stowage/backup-core'

const maxContainerBytes = 256

/** The limit of Swift counts characters; bytes are safe with every cluster and file system. */
export const maxObjectNameBytes = 1024

/**
 * Returns the path of a container.
 *
 * @throws `OPTION_INVALID` for an invalid name: to Swift a PUT of container `a/b` is one of object `b` in `a`.
 */
export function containerPath(container: string): string {
  const problem =
    container === ''
      ? 'is empty'
      : container === '.' || container === '..'
        ? 'is not usable in a path'
        : container.includes('/')
          ? 'contains a slash'
          : problemOf(container, maxContainerBytes)
  if (problem !== undefined) {
    throw new BackupError('OPTION_INVALID', `The container name ${JSON.stringify(container)} ${problem}.`, {
      container,
    })
  }
  return `/${encodeURIComponent(container)}`
}

/**
 * Returns the path of an object.
 *
 * @throws `OPTION_INVALID` for an invalid name
 */
export function objectPath(container: string, objectName: string): string {
  const path = containerPath(container)
  const problem = objectName === '' ? 'is empty' : problemOf(objectName, maxObjectNameBytes)
  if (problem !== undefined) {
    throw new BackupError('OPTION_INVALID', `The object name ${JSON.stringify(objectName)} ${problem}.`, {
      container,
      objectName,
    })
  }
  return `${path}/${objectName.split('/').map(encodeURIComponent).join('/')}`
}

function problemOf(name: string, maxBytes: number): string | undefined {
  if (name.includes('\0')) return 'contains a NUL'
  // A lone surrogate has no UTF-8 encoding.
  if (/\p{Surrogate}/u.test(name)) return 'is not valid Unicode'
  const bytes = Buffer.byteLength(name)
  return bytes > maxBytes ? `has ${bytes} bytes, and the limit is ${maxBytes}` : undefined
}

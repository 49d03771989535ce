import { BackupError } from '@stowage/backup-core'

const maxContainerBytes = 256

/** Swift's own limit counts characters; bytes are what every cluster and file system below it agree on. */
export const maxObjectNameBytes = 1024

/**
 * A container's name as it goes into a path.
 *
 * @throws `OPTION_INVALID` for what is no container: Swift takes a PUT of container `a/b` as object `b` in `a`.
 */
export function containerPath(container: string): string {
  const problem =
    container === ''
      ? 'is empty'
      : container === '.' || container === '..'
        ? 'would be lost in a path'
        : container.includes('/')
          ? 'has a slash in it'
          : problemOf(container, maxContainerBytes)
  if (problem !== undefined) {
    throw new BackupError('OPTION_INVALID', `The container name ${JSON.stringify(container)} ${problem}.`, {
      container,
    })
  }
  return `/${encodeURIComponent(container)}`
}

/**
 * An object's name, with its container, as it goes into a path.
 *
 * @throws `OPTION_INVALID` for what cannot be an object's name.
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
  if (name.includes('\0')) return 'has a NUL in it'
  // A lone surrogate has no UTF-8, and so no name on a server.
  if (/\p{Surrogate}/u.test(name)) return 'is no valid Unicode'
  const bytes = Buffer.byteLength(name)
  return bytes > maxBytes ? `has ${bytes} bytes, of which Swift takes ${maxBytes}` : undefined
}

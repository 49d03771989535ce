import { BackupError } from '@stowage/backup-core'
import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

/** The maximum length of a file name in bytes of UTF-8, on every common file system. */
export const maxNameBytes = 255

/** Returns Cinder's container for a backup that names none: a separate directory, two levels down. */
export function automaticContainer(backupId: string): string {
  return [backupId.slice(0, 2), backupId.slice(2, 4), backupId].filter((piece) => piece !== '').join('/')
}

/** Returns whether the container has the form of {@link automaticContainer}, and so is removed with its last object. */
export function isAutomaticContainer(container: string): boolean {
  return container === automaticContainer(container.slice(container.lastIndexOf('/') + 1))
}

/**
 * Returns whether it is an automatic container that cannot contain others. That of an id of two characters could: `64/64` is
 * the container of backup `64`, and the parent of that of `6464f687-…`.
 */
export function isContainerOfOne(container: string): boolean {
  return container.split('/').length === 3 && isAutomaticContainer(container)
}

/** @throws `OPTION_INVALID` unless the name is that of a file directly in its container */
export function checkObjectName(name: string): void {
  checkSegment(name, 'object', name)
  if (name.startsWith('.')) throw badName('object', name, 'begins with a dot, which listings leave out')
}

/**
 * Returns whether a file with this name is an object of a backup: by Cinder's names, or a manifest or hash list under any
 * prefix.
 */
export function looksLikeBackupObject(name: string): boolean {
  return /^volume_.+_backup_.|._(?:metadata|sha256file)$/s.test(name)
}

/** Returns whether a file with this name is the manifest of a backup. */
export function looksLikeManifest(name: string): boolean {
  return /._metadata$/s.test(name)
}

/** Returns the path segments of a container. @throws `OPTION_INVALID` for a name that could lead out of the root */
export function containerSegments(container: string): string[] {
  const segments = container.split('/')
  for (const segment of segments) checkSegment(segment, 'container', container)
  return segments
}

/** @throws `OPTION_INVALID` for a container that {@link containerSegments} accepts, but no search would find */
export function checkNewContainer(container: string): void {
  if (containerSegments(container).some((segment) => segment.startsWith('.'))) {
    throw badName(
      'container',
      container,
      'has a part that begins with a dot, which is not searched for backups',
    )
  }
}

/**
 * Returns the path of an existing container, and checks that no component below the root is a symbolic link: `O_NOFOLLOW`
 * checks only the last one. Rejects with ENOENT if there is none.
 */
export async function containerPath(root: string, container: string): Promise<string> {
  let path = root
  for (const segment of containerSegments(container)) {
    path = join(path, segment)
    await checkDirectory(path, container)
  }
  return path
}

/** Rejects with `FORBIDDEN` for a symbolic link and `NOT_A_FILE` for anything else that is not a directory. */
export async function checkDirectory(path: string, container: string): Promise<void> {
  const stat = await lstat(path)
  if (stat.isDirectory()) return
  if (!stat.isSymbolicLink()) {
    throw new BackupError(
      'NOT_A_FILE',
      `Cannot use the container "${container}": "${path}" is not a directory. Move it away.`,
      {
        container,
      },
    )
  }
  throw new BackupError(
    'FORBIDDEN',
    `"${path}" is a symbolic link, and those are not followed below the root of a store. ` +
      `Put the directory itself there, or make what it points to the store's path.`,
    { container },
  )
}

/** Returns whether a file is, or would be created, in a directory or below it, after resolving symbolic links. */
export async function isBelow(directory: string, path: string): Promise<boolean> {
  const realPath = await realpath(path).catch(async () => {
    // A file that does not exist would be created in its parent directory.
    const parent = await realpath(dirname(path)).catch(() => resolve(dirname(path)))
    return join(parent, basename(path))
  })
  const steps = relative(await realpath(directory), realPath)
  return steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps)
}

function checkSegment(segment: string, kind: 'container' | 'object', whole: string): void {
  if (segment === '') throw badName(kind, whole, 'is empty, absolute, or has an empty part')
  if (segment === '.' || segment === '..') throw badName(kind, whole, 'has a part that is "." or ".."')
  if (segment.includes('/')) throw badName(kind, whole, 'has a slash')
  if (segment.includes('\0')) throw badName(kind, whole, 'has a NUL character')
  // The system would store it as U+FFFD, so that two names could become one.
  if (/\p{Surrogate}/u.test(segment)) throw badName(kind, whole, 'is not well-formed Unicode')
  if (Buffer.byteLength(segment) > maxNameBytes) {
    throw badName(kind, whole, `has a part longer than ${maxNameBytes} bytes`)
  }
}

function badName(kind: 'container' | 'object', name: string, why: string): BackupError {
  return new BackupError(
    'OPTION_INVALID',
    `The ${kind} name ${JSON.stringify(name)} ${why}. Choose another.`,
    {
      [kind === 'container' ? 'container' : 'objectName']: name,
    },
  )
}

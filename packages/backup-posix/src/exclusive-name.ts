import { BackupError } from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, ignoring } from './errors.js'

/** link(2), as tests replace it. */
export type Link = (existing: string, name: string) => Promise<void>

/** A file, and the object name that it gets. */
export interface ExclusiveName {
  readonly directory: string
  readonly objectName: string
  /** The path of the complete, closed file in the same directory. */
  readonly temporary: string
  /** @default link(2) */
  readonly link?: Link | undefined
}

/**
 * The errnos of link(2) on a file system without hard links (vfat, exFAT, some of FUSE and SMB), EPERM on Linux, and for a
 * file with the maximum number of links.
 */
const noLinksErrnos = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Gives a file the name of an object, unless the name exists: then resolves to false. At every moment the name does not
 * exist, or refers to a complete object.
 */
export async function publishExclusively(name: ExclusiveName): Promise<boolean> {
  const target = join(name.directory, name.objectName)
  try {
    await (name.link ?? link)(name.temporary, target)
  } catch (error) {
    const errno = errnoOf(error)
    // A network file system repeats a call whose response was lost, and reports the error of the second one.
    if (!(await isSameFile(name.temporary, target))) {
      if (errno === 'EEXIST') return false
      if (errno !== undefined && noLinksErrnos.has(errno)) return renameUnderLock(name, target)
      throw error
    }
  }
  // The object has its name: a leftover temporary name is not a failure.
  await unlink(name.temporary).catch(() => undefined)
  return true
}

/**
 * Renames under a lock file. rename(2) replaces an existing file, so that two writers could both succeed. The lock file is
 * created exclusively, and excludes other writers of the name between the check and the rename.
 */
async function renameUnderLock(
  { directory, objectName, temporary }: ExclusiveName,
  target: string,
): Promise<boolean> {
  const digest = createHash('sha256').update(objectName).digest('hex').slice(0, 32)
  const lock = join(directory, `.stowage-${digest}.lock`)
  await takeLock(lock, objectName)
  try {
    if (await ignoring('ENOENT', lstat(target))) return false
    await rename(temporary, target)
    return true
  } finally {
    await unlink(lock).catch(() => undefined)
  }
}

async function takeLock(lock: string, objectName: string): Promise<void> {
  try {
    await (await open(lock, 'wx', 0o660)).close()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    throw new BackupError(
      'CONFLICT',
      `Cannot write the object "${objectName}": another program writes it now, or was killed while it did. If no other ` +
        `program writes to this store, delete ${lock}.`,
      { cause: error, objectName },
    )
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map((path) => lstat(path, { bigint: true }).catch(() => undefined)),
  )
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev
}

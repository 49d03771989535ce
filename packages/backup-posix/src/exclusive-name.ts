import { BackupError } from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, ignoring } from './errors.js'

/** link(2), as tests replace it. */
export type Link = (existing: string, name: string) => Promise<void>

/** What to name, and how. */
export interface ExclusiveName {
  readonly directory: string
  readonly objectName: string
  /** The path of the whole, closed file in the same directory. */
  readonly temporary: string
  /** @default link(2) */
  readonly link?: Link | undefined
}

/**
 * Of a file system without hard links (vfat, exFAT, some of FUSE and SMB), or of a file with as many as it may have.
 * EPERM is Linux's answer.
 */
const noLinksErrnos = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Gives a file the name of an object if nothing has the name. Resolves to false if something has. At every moment the
 * name is not there, or names a whole object.
 */
export async function publishExclusively(name: ExclusiveName): Promise<boolean> {
  const target = join(name.directory, name.objectName)
  try {
    await (name.link ?? link)(name.temporary, target)
  } catch (error) {
    const errno = errnoOf(error)
    // A network file system repeats a call whose answer was lost, and reports how the second one failed.
    if (!(await isSameFile(name.temporary, target))) {
      if (errno === 'EEXIST') return false
      if (errno !== undefined && noLinksErrnos.has(errno)) return renameUnderLock(name, target)
      throw error
    }
  }
  // The object has its name: a temporary name that remains is not a failure.
  await unlink(name.temporary).catch(() => undefined)
  return true
}

/**
 * rename(2) replaces what has the name, so that two writers could both succeed. A lock file, which is created exclusively,
 * keeps every other writer of the name away between the check and the rename.
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

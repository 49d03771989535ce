import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { link, lstat, open, rename, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { errnoOf, targetError } from './file-errors.js'
import { partialPathOf } from './partial-file.js'
import { writeFully } from './positional-io.js'
import { removeDeadMark } from './restore-mark.js'
import { sameFile } from './same-file.js'
import { syncDirectory } from './sync-directory.js'
import type { OpenTarget, TargetRequirements } from './volume.js'

const createExclusively = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/**
 * Opens a target where there is no file yet. It is written under a temporary name in the same directory, and gets its own
 * name when it is whole: what bears that name is a whole volume, whatever becomes of the process.
 */
export async function openNewFileTarget(
  path: string,
  create: boolean,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  if (!create) {
    const message = `There is no ${path}, and it was not to be created. Create it first, or set \`create\`.`
    throw new BackupError('TARGET_WRITE', message)
  }
  await requireDirectory(path)
  await refuseDanglingLink(path)
  // Resolved now, for a working directory that changes under the restore.
  const finalPath = resolve(path)
  await removeDeadMark(finalPath)
  const partialPath = await partialPathOf(finalPath)
  // For the owner's eyes alone, whatever the umask: a disk image holds every file of its machine, keys included.
  const handle = await open(partialPath, createExclusively, 0o600).catch((cause: unknown) => {
    throw targetError(cause, path)
  })
  const target = new NewFileTarget(finalPath, partialPath, handle)
  try {
    // A hole of the whole size: the file system says at once what it cannot hold.
    await handle.truncate(requirements.volumeSizeBytes)
    throwIfAborted(requirements.signal, `Opening ${path}`)
    return target
  } catch (error) {
    await target.close()
    await target.discard()
    throw targetError(error, path)
  }
}

/** ENOENT says of a new file that its directory is missing, but not which path it means. */
async function requireDirectory(path: string): Promise<void> {
  const directory = dirname(path)
  await stat(directory).catch((cause: unknown) => {
    if (errnoOf(cause) !== 'ENOENT') throw targetError(cause, path)
    const message = `Cannot create ${path}: there is no directory ${directory}. Create it first, or check the path.`
    throw new BackupError('TARGET_WRITE', message, { cause })
  })
}

async function refuseDanglingLink(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return
  const message = `${path} is a symbolic link to nothing, or was created just now. Name the file itself.`
  throw new BackupError('TARGET_WRITE', message)
}

class NewFileTarget implements OpenTarget {
  readonly readsAsZeros = true
  #identity: BigIntStats | undefined

  constructor(
    private readonly path: string,
    private readonly partialPath: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await writeFully(this.handle, bytes, this.path, offsetBytes)
  }

  async finish(): Promise<void> {
    try {
      await this.handle.sync()
      this.#identity = await this.handle.stat({ bigint: true })
      await nameExclusively(this.partialPath, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      throw targetError(error, this.path)
    }
  }

  async close(): Promise<void> {
    // A network file system may report a failed write only now.
    await this.handle.close().catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }

  /** Leaves no file. The temporary name is this restore's own; behind the final one another program may have put a file. */
  async discard(): Promise<void> {
    try {
      await unlink(this.partialPath).catch(ignoreMissing)
      if (this.#identity === undefined) return
      const found = await lstat(this.path, { bigint: true })
      if (sameFile(found, this.#identity)) await unlink(this.path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw targetError(error, this.path)
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error
}

/** What file systems without hard links say of one: FAT, some network and FUSE file systems. */
const noHardLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL']

/** Gives a file its final name, which must be free: a rename would replace what another program has put there meanwhile. */
async function nameExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
    await unlink(from)
    return
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw taken(to, error)
    if (!noHardLinks.includes(errnoOf(error) ?? '')) throw error
  }
  const claim = await open(to, createExclusively, 0o600).catch((error: unknown) => {
    throw errnoOf(error) === 'EEXIST' ? taken(to, error) : error
  })
  await claim.close()
  await rename(from, to)
}

function taken(path: string, cause: unknown): BackupError {
  const message = `${path} was created by another program while the restore ran, and is left as it is. Restore to another path, or set \`overwrite\` to write over it.`
  return new BackupError('TARGET_NOT_EMPTY', message, { cause })
}

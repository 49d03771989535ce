import { constants, type BigIntStats } from 'node:fs'
import { link, lstat, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { OpenTarget, TargetRequirements } from '../contracts/volume.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { BackgroundSync } from './background-sync.js'
import { attachedLoopDevice } from './block-device.js'
import { closeOnFailure, closeQuietly } from './checked-volume.js'
import { errnoOf, sameFile, unlessErrno, writeFully, mapWriteErrors } from './positional-io.js'
import { markPathOf, removeDeadMark, takeMark, type RestoreMark } from './restore-mark.js'
import { partialPathOf } from './restore-process.js'

/** An open file or block device that a restore writes to. */
export class FileTarget implements OpenTarget {
  readonly #sync: BackgroundSync

  constructor(
    protected readonly path: string,
    protected readonly handle: FileHandle,
    readonly readsAsZeros: boolean,
  ) {
    this.#sync = new BackgroundSync(() => mapWriteErrors(path, () => handle.datasync()))
  }

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await this.#sync.throwIfFailed()
    await writeFully(this.handle, bytes, this.path, offsetBytes)
    this.#sync.written(bytes.length)
  }

  async finish(): Promise<void> {
    await this.#sync.ended()
    await mapWriteErrors(this.path, () => this.handle.sync())
  }

  /** A network file system may report a failed write only now. */
  async close(): Promise<void> {
    await this.#sync.ended().catch(() => undefined)
    await mapWriteErrors(this.path, () => this.handle.close())
  }
}

const createExclusively = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/**
 * Opens a target where there is no file yet. It is written under a temporary name in the same directory and renamed when it
 * is complete, so that a killed process leaves no incomplete file under the final name.
 */
export async function openNewFileTarget(
  path: string,
  create: boolean,
  { volumeSizeBytes, signal }: TargetRequirements,
): Promise<OpenTarget> {
  if (!create) {
    const message = `${path} does not exist and \`create\` is not set. Create it first, or set \`create\`.`
    throw new BackupError('TARGET_WRITE', message)
  }
  await assertNotDanglingLink(path)
  // Resolved now, in case the working directory changes during the restore.
  const finalPath = resolve(path)
  await removeDeadMark(finalPath)
  const partialPath = await partialPathOf(finalPath)
  // Readable by its owner only, whatever the umask: a disk image holds every file of its machine, keys included.
  const handle = await mapWriteErrors(path, () =>
    open(partialPath, createExclusively, 0o600).catch((cause: unknown) => {
      if (errnoOf(cause) !== 'ENOENT') throw cause
      const message = `Cannot create ${path}: directory ${dirname(path)} does not exist. Create it first, or check the path.`
      throw new BackupError('TARGET_WRITE', message, { cause })
    }),
  )
  return prepared(new NewFileTarget(finalPath, handle, partialPath), signal, async () => {
    // A hole of the whole size: the file system refuses immediately what it cannot hold.
    await mapWriteErrors(path, () => handle.truncate(volumeSizeBytes))
  })
}

async function prepared(
  target: OpenTarget,
  signal: AbortSignal | undefined,
  prepare: () => Promise<void>,
): Promise<OpenTarget> {
  try {
    await prepare()
    throwIfAborted(signal, 'Opening the target')
    return target
  } catch (error) {
    await closeQuietly(target)
    await target.discard?.().catch(() => undefined)
    throw error
  }
}

async function assertNotDanglingLink(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return
  const message = `${path} is a symbolic link to nothing, or was created just now. Name the file itself.`
  throw new BackupError('TARGET_WRITE', message)
}

class NewFileTarget extends FileTarget {
  #identity: BigIntStats | undefined

  constructor(
    path: string,
    handle: FileHandle,
    private readonly partialPath: string,
  ) {
    super(path, handle, true)
  }

  override async finish(): Promise<void> {
    await super.finish()
    await mapWriteErrors(this.path, async () => {
      this.#identity = await this.handle.stat({ bigint: true })
      await renameExclusively(this.partialPath, this.path)
      await syncDirectory(dirname(this.path))
    })
  }

  /** Removes the file. The temporary name is unique; the file at the final name may be another program's. */
  async discard(): Promise<void> {
    await mapWriteErrors(this.path, async () => {
      await unlessErrno(unlink(this.partialPath), 'ENOENT')
      if (this.#identity === undefined) return
      const found = await unlessErrno(lstat(this.path, { bigint: true }), 'ENOENT')
      if (found && sameFile(found, this.#identity)) await unlessErrno(unlink(this.path), 'ENOENT')
    })
  }
}

/** The errors of file systems without hard links: FAT, some network and FUSE file systems. */
const noHardLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL']

/** Renames a file to a name that must be free: a plain rename would replace a file that another program put there. */
async function renameExclusively(from: string, to: string): Promise<void> {
  try {
    const linked = link(from, to).then(() => true)
    if (await unlessErrno(linked, ...noHardLinks)) await unlink(from)
    else {
      await (await open(to, createExclusively, 0o600)).close()
      await rename(from, to)
    }
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause
    const message = `${to} was created by another program during the restore, and is left as it is. Restore to another path, or set \`overwrite\`.`
    throw new BackupError('TARGET_NOT_EMPTY', message, { cause })
  }
}

/** Makes a new name durable, where the system and the file system can. */
async function syncDirectory(path: string): Promise<void> {
  const synced = open(path, 'r').then((handle) => handle.sync().finally(() => handle.close()))
  await unlessErrno(synced, 'EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EACCES')
}

/**
 * Opens an existing file to write into it in place: it keeps its inode, owner and mode. A mark beside it keeps other
 * restores out, and stays until the file is complete.
 */
export async function openExistingFileTarget(
  path: string,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  const loop = await attachedLoopDevice(path)
  if (loop !== undefined) {
    const message = `${path} is attached to /dev/${loop}. Unmount and detach it (losetup --detach), then restore again.`
    throw new BackupError('TARGET_BUSY', message)
  }
  const realPath = await mapWriteErrors(path, () => realpath(path))
  const handle = await mapWriteErrors(path, () => open(realPath, constants.O_WRONLY))
  return closeOnFailure(handle, async () => {
    // A file that is rejected gets no mark.
    await assertEmptyOrOverwrite(path, handle, requirements)
    const mark = await markUnlessRefused(realPath, requirements)
    try {
      // Again: another restore may have ended between the two.
      const identity = await assertEmptyOrOverwrite(path, handle, requirements)
      const target = new ExistingFileTarget(realPath, handle, identity, mark, requirements)
      return await prepared(target, requirements.signal, () => target.reserve())
    } catch (error) {
      // The first error is the one to report.
      await mark?.remove().catch(() => undefined)
      throw error
    }
  })
}

async function assertEmptyOrOverwrite(
  path: string,
  handle: FileHandle,
  { overwrite }: TargetRequirements,
): Promise<BigIntStats> {
  const identity = await mapWriteErrors(path, () => handle.stat({ bigint: true }))
  if (identity.size === 0n || overwrite) return identity
  const message = `${path} exists and holds ${identity.size.toString()} bytes. Set \`overwrite\`, or name another target.`
  throw new BackupError('TARGET_NOT_EMPTY', message)
}

/** The errors of a directory in which no file can be created, although the existing one may be written. */
const noNewFiles = ['EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ENOSPC', 'EDQUOT']

async function markUnlessRefused(
  realPath: string,
  { endBytes, partial, startBytes, backupId, warn }: TargetRequirements,
): Promise<RestoreMark | undefined> {
  const request = {
    backupId: backupId ?? 'unknown',
    startBytes: partial ? (startBytes ?? 0) : 0,
    // A restore of the whole volume also sets the size of a longer file.
    endBytes: partial ? endBytes : Number.MAX_SAFE_INTEGER,
  }
  const markPath = markPathOf(realPath)
  return mapWriteErrors(markPath, async () => {
    try {
      return await takeMark(realPath, request, (message) => warn?.('RESTORE_INCOMPLETE', message))
    } catch (error) {
      const reason = errnoOf(error) ?? ''
      if (isBackupError(error) || !noNewFiles.includes(reason)) throw error
      warn?.(
        'TARGET_UNMARKED',
        `Cannot create ${markPath} (${reason}), which would mark ${realPath} as incomplete. Let no other program write to it, and do not use it if this restore fails.`,
      )
      return undefined
    }
  })
}

class ExistingFileTarget extends FileTarget {
  #isChanged = false
  #isComplete = false

  /** @param path - the real one, which does not depend on the working directory */
  constructor(
    path: string,
    handle: FileHandle,
    private readonly identity: BigIntStats,
    private readonly mark: RestoreMark | undefined,
    private readonly requirements: TargetRequirements,
  ) {
    super(path, handle, identity.size === 0n)
  }

  /**
   * Gives a file that was empty its size: the file system refuses immediately what it cannot hold. Any other file is not
   * changed before the first write, so that a restore that fails early leaves it intact.
   */
  async reserve(): Promise<void> {
    if (!this.readsAsZeros) return
    this.#isChanged = true
    await mapWriteErrors(this.path, () => this.handle.truncate(this.requirements.volumeSizeBytes))
  }

  override async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    this.#isChanged = true
    await super.write(bytes, offsetBytes)
  }

  override async finish(): Promise<void> {
    const { partial, endBytes, volumeSizeBytes } = this.requirements
    await mapWriteErrors(this.path, async () => {
      if (this.readsAsZeros) return
      if (!partial) await this.handle.truncate(volumeSizeBytes)
      else if ((await this.handle.stat()).size < endBytes) await this.handle.truncate(endBytes)
    })
    await super.finish()
    this.#isComplete = true
  }

  override async close(): Promise<void> {
    try {
      await super.close().catch((error: unknown) => {
        this.#isComplete = false
        throw error
      })
    } finally {
      await mapWriteErrors(this.path, async () => {
        if (this.#isComplete || !this.#isChanged) await this.mark?.remove()
        else await this.mark?.keepAsFailed()
      })
    }
  }

  /** Empties a file that was empty before. Any other keeps what was written to it, and its mark. */
  async discard(): Promise<void> {
    if (!this.readsAsZeros) return
    await mapWriteErrors(this.path, async () => {
      const handle = await unlessErrno(open(this.path, constants.O_WRONLY), 'ENOENT')
      if (!handle) return
      try {
        if (sameFile(await handle.stat({ bigint: true }), this.identity)) await handle.truncate(0)
      } finally {
        await handle.close()
      }
      await this.mark?.remove()
    })
  }
}

import { constants, type BigIntStats } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { errnoOf, targetError, writeFully } from './positional-io.js'
import { sameFile } from './file-volume.js'
import { attachedLoopDevice } from './block-device.js'
import { markPathOf, takeMark, type RestoreMark } from './restore-mark.js'
import type { OpenTarget, TargetRequirements } from '../contracts/volume.js'

/**
 * Opens a file that is there, to write into it in place: it keeps its inode, owner and mode. A mark beside it keeps other
 * restores out, and stays until the file is whole.
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
  // Without a mark that comes and goes, where it is refused anyway.
  await (await openChecked(path, requirements)).handle.close()
  const realPath = await realpath(path).catch((error: unknown) => {
    throw targetError(error, path)
  })
  const mark = await markUnlessRefused(realPath, requirements)
  try {
    // Again, for another restore may have ended between the two.
    const opened = await openChecked(realPath, requirements)
    return await prepare(new ExistingFileTarget(realPath, opened, mark, requirements), requirements)
  } catch (error) {
    await mark?.remove()
    throw error
  }
}

/** A file as it was found. */
interface OpenedFile {
  readonly handle: FileHandle
  readonly identity: BigIntStats
}

async function openChecked(path: string, { overwrite }: TargetRequirements): Promise<OpenedFile> {
  const handle = await open(path, constants.O_WRONLY).catch((error: unknown) => {
    throw targetError(error, path)
  })
  try {
    const identity = await handle.stat({ bigint: true })
    if (identity.size === 0n || overwrite) return { handle, identity }
    const message = `${path} exists and holds ${identity.size.toString()} bytes. Set \`overwrite\`, or name another target.`
    throw new BackupError('TARGET_NOT_EMPTY', message)
  } catch (error) {
    await handle.close()
    throw targetError(error, path)
  }
}

/** What the system says where no file can be made in the directory, although the one that is there may be written. */
const noNewFiles = ['EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ENOSPC', 'EDQUOT']

async function markUnlessRefused(
  realPath: string,
  { endBytes, partial, startBytes, backupId, warn }: TargetRequirements,
): Promise<RestoreMark | undefined> {
  const request = {
    backupId: backupId ?? 'unknown',
    startBytes: partial ? (startBytes ?? 0) : 0,
    // A restore of the whole volume also settles what a longer file held.
    endBytes: partial ? endBytes : Number.MAX_SAFE_INTEGER,
  }
  try {
    return await takeMark(realPath, request, (message) => warn?.('RESTORE_INCOMPLETE', message))
  } catch (error) {
    if (isBackupError(error) || !noNewFiles.includes(errnoOf(error) ?? '')) {
      throw targetError(error, markPathOf(realPath))
    }
    const reason = errnoOf(error) ?? ''
    warn?.(
      'TARGET_UNMARKED',
      `Cannot create ${markPathOf(realPath)} (${reason}), which would mark ${realPath} while it is not whole. Let nothing else write to it, and do not use it if this restore does not succeed.`,
    )
    return undefined
  }
}

async function prepare(target: ExistingFileTarget, requirements: TargetRequirements): Promise<OpenTarget> {
  try {
    await target.makeRoom()
    throwIfAborted(requirements.signal, 'Opening the target')
    return target
  } catch (error) {
    await target.close()
    await target.discard()
    throw error
  }
}

class ExistingFileTarget implements OpenTarget {
  readonly readsAsZeros: boolean
  private readonly handle: FileHandle
  private readonly identity: BigIntStats
  private readonly wasEmpty: boolean
  #isTouched = false
  #isWhole = false

  /** @param path - the real one, which stays right for a working directory that changes under the restore */
  constructor(
    private readonly path: string,
    { handle, identity }: OpenedFile,
    private readonly mark: RestoreMark | undefined,
    private readonly requirements: TargetRequirements,
  ) {
    this.handle = handle
    this.identity = identity
    this.wasEmpty = identity.size === 0n
    this.readsAsZeros = this.wasEmpty
  }

  /**
   * Gives a file that was empty its size: the file system says at once what it cannot hold. What holds something is not
   * touched before the first write, so that a restore which fails early leaves it intact.
   */
  async makeRoom(): Promise<void> {
    if (!this.wasEmpty) return
    this.#isTouched = true
    await this.handle.truncate(this.requirements.volumeSizeBytes).catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    this.#isTouched = true
    await writeFully(this.handle, bytes, this.path, offsetBytes)
  }

  async finish(): Promise<void> {
    try {
      if (!this.wasEmpty) await this.setSize()
      await this.handle.sync()
      this.#isWhole = true
    } catch (error) {
      throw targetError(error, this.path)
    }
  }

  async close(): Promise<void> {
    // A network file system may report a failed write only now.
    await this.handle.close().catch((error: unknown) => {
      this.#isWhole = false
      throw targetError(error, this.path)
    })
    await this.#settleMark().catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }

  /** A file that was empty is made empty again. One that held something keeps what was written to it, and its mark. */
  async discard(): Promise<void> {
    if (!this.wasEmpty) return
    try {
      const handle = await open(this.path, constants.O_WRONLY)
      try {
        if (sameFile(await handle.stat({ bigint: true }), this.identity)) await handle.truncate(0)
      } finally {
        await handle.close()
      }
      await this.mark?.remove()
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw targetError(error, this.path)
    }
  }

  async #settleMark(): Promise<void> {
    if (this.#isWhole || !this.#isTouched) await this.mark?.remove()
    else await this.mark?.keepAsFailed()
  }

  private async setSize(): Promise<void> {
    const { partial, endBytes, volumeSizeBytes } = this.requirements
    if (!partial) await this.handle.truncate(volumeSizeBytes)
    else if ((await this.handle.stat()).size < endBytes) await this.handle.truncate(endBytes)
  }
}

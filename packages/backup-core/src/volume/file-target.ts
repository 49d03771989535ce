import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { lstat, open, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { openDeviceTarget } from './device-target.js'
import { errnoOf, fileKind, targetError } from './file-errors.js'
import { attachedLoopDevice } from './loop-device.js'
import { writeFully } from './positional-io.js'
import type { OpenTarget, TargetRequirements } from './volume.js'

/** Opens a file, new or not, or a block device for a restore. Nothing that the path holds is changed yet. */
export async function openFileTarget(
  path: string,
  create: boolean,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  throwIfAborted(requirements.signal, `Opening ${path}`)
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw targetError(error, path)
  })
  if (found === undefined) return createTarget(path, create, requirements)
  if (found.isBlockDevice()) return openDeviceTarget(path, requirements)
  if (found.isFile()) return openExistingTarget(path, requirements)
  const message = `${path} is ${fileKind(found)}. A restore writes at any offset: name a regular file or a block device.`
  throw new BackupError('NOT_A_FILE', message)
}

async function createTarget(
  path: string,
  create: boolean,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  if (!create) {
    const message = `There is no ${path}, and it was not to be created. Create it first, or set \`create\`.`
    throw new BackupError('TARGET_WRITE', message)
  }
  await requireDirectory(path)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
  // For the owner's eyes alone, whatever the umask: a disk image holds every file of its machine, keys included.
  const handle = await open(path, flags, 0o600).catch((cause: unknown) => {
    if (errnoOf(cause) !== 'EEXIST') throw targetError(cause, path)
    const message = `${path} is a symbolic link to nothing, or was created just now. Name the file itself.`
    throw new BackupError('TARGET_WRITE', message, { cause })
  })
  return prepare(path, handle, 'created', requirements)
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

async function openExistingTarget(path: string, requirements: TargetRequirements): Promise<OpenTarget> {
  const loop = await attachedLoopDevice(path)
  if (loop !== undefined) {
    const message = `${path} is attached to /dev/${loop}. Unmount and detach it (losetup --detach), then restore again.`
    throw new BackupError('TARGET_BUSY', message)
  }
  const handle = await open(path, constants.O_WRONLY).catch((error: unknown) => {
    throw targetError(error, path)
  })
  const { size } = await handle.stat({ bigint: true }).catch(closing(handle, path))
  if (size > 0n && !requirements.overwrite) {
    await handle.close()
    const message = `${path} exists and holds ${size.toString()} bytes. Set \`overwrite\`, or name another target.`
    throw new BackupError('TARGET_NOT_EMPTY', message)
  }
  return prepare(path, handle, size === 0n ? 'empty' : 'full', requirements)
}

function closing(handle: FileHandle, path: string): (error: unknown) => Promise<never> {
  return async (error) => {
    await handle.close()
    throw targetError(error, path)
  }
}

/** What was at the path before: nothing, an empty file, or one that holds something. */
type Before = 'created' | 'empty' | 'full'

async function prepare(
  path: string,
  handle: FileHandle,
  before: Before,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  const identity = await handle.stat({ bigint: true }).catch(closing(handle, path))
  // Resolved now, for a working directory that changes under the restore.
  const target = new FileTarget(resolve(path), handle, before, identity, requirements)
  try {
    // A hole of the whole size: the file system says at once what it cannot hold. What holds something is not touched
    // before the first write, so that a restore which fails early leaves it intact.
    if (before !== 'full') await handle.truncate(requirements.volumeSizeBytes)
    throwIfAborted(requirements.signal, `Opening ${path}`)
    return target
  } catch (error) {
    await target.close()
    await target.discard()
    throw targetError(error, path)
  }
}

class FileTarget implements OpenTarget {
  readonly readsAsZeros: boolean

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly before: Before,
    private readonly identity: BigIntStats,
    private readonly requirements: TargetRequirements,
  ) {
    this.readsAsZeros = before !== 'full'
  }

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await writeFully(this.handle, bytes, this.path, offsetBytes)
  }

  async finish(): Promise<void> {
    try {
      if (this.before === 'full') await this.setSize()
      await this.handle.sync()
      if (this.before === 'created') await syncDirectory(dirname(this.path))
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

  /** Leaves the path as it was found: gone or empty. A file that held something keeps what was written to it. */
  async discard(): Promise<void> {
    if (this.before === 'full') return
    try {
      const found = this.before === 'created' ? await lstat(this.path, { bigint: true }) : undefined
      if (found !== undefined) {
        // Another program may have put its own file there meanwhile.
        if (sameFile(found, this.identity)) await unlink(this.path)
      } else await this.empty()
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw targetError(error, this.path)
    }
  }

  private async empty(): Promise<void> {
    const handle = await open(this.path, constants.O_WRONLY)
    try {
      if (sameFile(await handle.stat({ bigint: true }), this.identity)) await handle.truncate(0)
    } finally {
      await handle.close()
    }
  }

  private async setSize(): Promise<void> {
    const { partial, endBytes, volumeSizeBytes } = this.requirements
    if (!partial) await this.handle.truncate(volumeSizeBytes)
    else if ((await this.handle.stat()).size < endBytes) await this.handle.truncate(endBytes)
  }
}

function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino
}

/** Makes a new name durable. Not every system or file system can: there the name is as durable as it gets. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
  }
}

import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { deviceNumber, deviceReadOnly, deviceSizeBytes, deviceUse, probeSizeBytes } from './block-device.js'
import { closeOnFailure } from './checked-volume.js'
import { FileTarget, openExistingFileTarget, openNewFileTarget } from './file-target.js'
import { unlessErrno, fileKind, mapWriteErrors } from './positional-io.js'
import { resolve } from 'node:path'
import { checkOptions, describeValue, optionRules, type OptionShape } from '../checks/check-options.js'
import { openFileSource } from './file-source.js'
import { removeLeftPartials } from './restore-process.js'

/**
 * On Linux, O_EXCL without O_CREAT claims a block device, and fails with EBUSY while a mount, swap, RAID or LVM has
 * claimed it or one of its partitions, in any mount namespace. Elsewhere its meaning is undefined.
 */
const exclusive = process.platform === 'linux' ? constants.O_EXCL : 0

/** Opens a block device for a restore, exclusively: it cannot be mounted until it is closed. */
export function openDeviceTarget(path: string, requirements: TargetRequirements): Promise<OpenTarget> {
  return mapWriteErrors(path, async () => {
    const device = deviceNumber(await stat(path, { bigint: true }))
    const use = await deviceUse(device)
    if (use !== undefined) {
      const message = `${path} ${use}. Unmount it or stop what uses it, then restore again.`
      throw new BackupError('TARGET_BUSY', message)
    }
    if (await deviceReadOnly(device)) {
      const message = `${path} is set read-only. Make it writable (blockdev --setrw), or choose another target.`
      throw new BackupError('TARGET_WRITE', message)
    }
    if (!requirements.overwrite) {
      const message = `${path} is a block device, and may hold data that is needed. Set \`overwrite\` to restore to it.`
      throw new BackupError('TARGET_NOT_EMPTY', message)
    }
    const sizeBytes = (await deviceSizeBytes(device)) ?? (await probe(path))
    const needed = requirements.partial ? requirements.endBytes : requirements.volumeSizeBytes
    if (sizeBytes < needed) {
      const message = `${path} has ${sizeBytes} bytes, and the restore needs ${needed}. Choose a larger device.`
      throw new BackupError('TARGET_TOO_SMALL', message)
    }
    const handle = await open(path, constants.O_WRONLY | exclusive)
    return closeOnFailure(handle, async () => {
      // The checks above were of the path; what is written is the device behind the handle.
      const stats = await handle.stat({ bigint: true })
      if (!stats.isBlockDevice() || deviceNumber(stats) !== device) {
        const message = `${path} was replaced by another device while it was opened. Try again.`
        throw new BackupError('TARGET_BUSY', message)
      }
      throwIfAborted(requirements.signal, `Opening ${path}`)
      // A trimmed device mostly reads as zeros, but none has to.
      return new FileTarget(path, handle, false)
    })
  })
}

async function probe(path: string): Promise<number> {
  const handle = await open(path, 'r')
  return probeSizeBytes(handle).finally(() => handle.close())
}

/** Options of {@link fileVolume}. */
export interface FileVolumeOptions {
  /** Whether a restore creates a file that does not exist. @default true */
  readonly create?: boolean
  /**
   * What a backup does with the holes of a sparse file. `skip` takes them as zeros without reading them, where Linux
   * reports them (through `perl` or `python3`, of which one must be installed); `read` reads them. @default 'skip'
   */
  readonly holes?: 'skip' | 'read'
  /**
   * How many bytes a backup must find. A pipe with fewer or more, or a file or device of another size, ends it with
   * `SOURCE_CHANGED`. @default any number
   */
  readonly sizeBytes?: number
}

const fileVolumeShape: OptionShape<FileVolumeOptions> = {
  create: optionRules.flag,
  holes: optionRules.oneOf('skip', 'read'),
  sizeBytes: optionRules.wholeNumber(0),
}

/** A file or a block device. */
export interface FileVolume extends VolumeSource, VolumeTarget {
  /** The path, as given. */
  readonly path: string
}

/**
 * A disk image or a block device, to back up and to restore to. Symbolic links are followed, as `cp` does.
 *
 * As a source it may also be a named pipe, which is read as a stream. Only the data of a sparse file is read. The size when
 * it is opened counts: a file that grows is read to that size, and one that shrinks ends the backup (`SOURCE_CHANGED`). A
 * file or device that was written to meanwhile causes a warning.
 *
 * As a target:
 * - A new file is written as `.NAME.stowage-….partial` and renamed when it is complete. It has the volume's size, holes
 *   where the backup has nothing, and mode 0600, since it may hold the secrets of a whole machine. A failed restore removes
 *   it; the next restore into the name removes what a killed process left. A file that has appeared under the name meanwhile
 *   stays as it is (`TARGET_NOT_EMPTY`).
 * - An existing file that is not empty needs `overwrite`. It is written in place, not changed before the first write, and has
 *   the volume's size at the end; a restore of a part leaves the rest of it as it is. One that is attached to a loop device
 *   is rejected (`TARGET_BUSY`). Until it is complete, `.NAME.stowage-restoring` beside it marks it: another restore
 *   (`TARGET_BUSY`) and a backup of it (`SOURCE_INCOMPLETE`) are rejected.
 * - A block device always needs `overwrite`, must be large enough, and is rejected while it is mounted or in use
 *   (`TARGET_BUSY`).
 *
 * @throws BackupError `OPTION_INVALID` when the path is not a non-empty string. Nothing is opened yet.
 */
export function fileVolume(path: string, options: FileVolumeOptions = {}): FileVolume {
  const given: unknown = path
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    const shown = typeof given === 'string' ? 'one that is empty or contains NUL' : describeValue(given)
    throw new BackupError('OPTION_INVALID', `fileVolume takes the path of a file or device, not ${shown}.`)
  }
  checkOptions('the options of fileVolume()', options, fileVolumeShape)
  const { create = true, holes = 'skip', sizeBytes } = options
  return {
    path,
    openSource: (opening?: VolumeOpenOptions): Promise<OpenSource> =>
      openFileSource(path, { readHoles: holes === 'read', sizeBytes }, opening),
    openTarget: (requirements: TargetRequirements): Promise<OpenTarget> =>
      openFileTarget(path, create, requirements),
  }
}

/** Opens a new or existing file, or a block device, for a restore. What it holds is not changed yet. */
async function openFileTarget(
  path: string,
  create: boolean,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  throwIfAborted(requirements.signal, `Opening ${path}`)
  const found = await mapWriteErrors(path, () => unlessErrno(stat(path, { bigint: true }), 'ENOENT'))
  // Resolved now, in case the working directory changes during the restore.
  const finalPath = resolve(path)
  if (found?.isBlockDevice() === true) return openDeviceTarget(path, requirements)
  if (found !== undefined && !found.isFile()) {
    const message = `${path} is ${fileKind(found)}, and a restore writes at any offset. Name a regular file or a block device.`
    throw new BackupError('NOT_A_FILE', message)
  }
  const target = found
    ? await openExistingFileTarget(path, requirements)
    : await openNewFileTarget(path, create, requirements)
  await removeLeftPartials(finalPath, requirements.warn)
  return target
}

import { BackupError } from '../errors/backup-error.js'
import { checkOptions, describeValue } from '../checks/check-options.js'
import { optionRules, type OptionShape } from '../checks/option-rules.js'
import { openFileSource } from './file-source.js'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { throwIfAborted } from '../errors/abort.js'
import { openDeviceTarget } from './device-target.js'
import { openExistingFileTarget } from './existing-file-target.js'
import { errnoOf, fileKind, targetError } from './positional-io.js'
import { openNewFileTarget, removeLeftPartials } from './new-file-target.js'
import type { BigIntStats } from 'node:fs'

/** Options of {@link fileVolume}. */
export interface FileVolumeOptions {
  /** Whether a restore makes the file where there is none. @default true */
  readonly create?: boolean
  /**
   * What a backup does with the holes of a sparse file: `skip` takes them for the zeros that they read as, where Linux
   * tells where they are (it is asked through `perl` or `python3`, of which one has to be there); `read` reads them.
   * @default 'skip'
   */
  readonly holes?: 'skip' | 'read'
  /**
   * How many bytes a backup must find. A pipe that gives fewer or more, or a file or device of another size, ends it
   * with `SOURCE_CHANGED`. @default any number
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
 * As a source it may also be a named pipe, which is read as a stream. Of a sparse file only the data is read. Its size at the open counts: what a file grows
 * by meanwhile is left out, and one that shrinks ends the backup (`SOURCE_CHANGED`). A file that was written to, or a
 * device that the kernel counted writes for, is warned of at the end.
 *
 * As a target:
 * - a new file is written as `.NAME.stowage-….partial` beside its own name, and gets that when it is whole; it has the
 *   volume's size and mode 0600 (it may hold the secrets of a whole machine), with holes where the backup has nothing,
 *   and is removed when the restore fails, or by the next restore into the name where the process was killed; a file that has appeared under the name meanwhile is left as it is
 *   (`TARGET_NOT_EMPTY`);
 * - an existing file that is not empty needs `overwrite`, is written in place, is first changed by the first write, and
 *   has the volume's size at the end; a restore of a part leaves the rest of it as it is; one that is attached to a loop
 *   device is refused (`TARGET_BUSY`). Until it is whole, a mark lies beside it, `.NAME.stowage-restoring`: a second
 *   restore is refused meanwhile (`TARGET_BUSY`), and a backup of it too (`SOURCE_INCOMPLETE`);
 * - a block device always needs `overwrite`, must be large enough, and is refused while it is mounted or in use
 *   (`TARGET_BUSY`).
 *
 * @throws BackupError `OPTION_INVALID` when the path is not a non-empty string. Nothing is opened yet.
 */
export function fileVolume(path: string, options: FileVolumeOptions = {}): FileVolume {
  const given: unknown = path
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    const shown = typeof given === 'string' ? 'one that is empty or holds a NUL' : describeValue(given)
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
  // Now, for a working directory that changes under the restore.
  const finalPath = resolve(path)
  if (found?.isBlockDevice() === true) return openDeviceTarget(path, requirements)
  if (found === undefined || found.isFile()) {
    const target = found
      ? await openExistingFileTarget(path, requirements)
      : await openNewFileTarget(path, create, requirements)
    await removeLeftPartials(finalPath, requirements.warn)
    return target
  }
  const message = `${path} is ${fileKind(found)}. A restore writes at any offset: name a regular file or a block device.`
  throw new BackupError('NOT_A_FILE', message)
}

/** Whether two descriptions are of one file. */
export function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino
}

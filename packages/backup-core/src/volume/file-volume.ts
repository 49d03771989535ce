import { BackupError } from '../errors/backup-error.js'
import { describeValue } from './describe-value.js'
import { openFileSource } from './file-source.js'
import { openFileTarget } from './file-target.js'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from './volume.js'

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
 * - a new file gets the volume's size and mode 0600 (it may hold the secrets of a whole machine), with holes where the
 *   backup has nothing, and is removed again when the restore fails;
 * - an existing file that is not empty needs `overwrite`, is first changed by the first write, and has the volume's
 *   size at the end; a restore of a part leaves the rest of it as it is; one that is attached to a loop device is
 *   refused (`TARGET_BUSY`);
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
  const create: unknown = options.create ?? true
  if (typeof create !== 'boolean') {
    throw new BackupError('OPTION_INVALID', `create must be true or false, not ${describeValue(create)}.`)
  }
  const holes: unknown = options.holes ?? 'skip'
  if (holes !== 'skip' && holes !== 'read') {
    const shown = typeof holes === 'string' ? JSON.stringify(holes) : describeValue(holes)
    throw new BackupError('OPTION_INVALID', `holes must be 'skip' or 'read', not ${shown}.`)
  }
  return {
    path,
    openSource: (opening?: VolumeOpenOptions): Promise<OpenSource> =>
      openFileSource(path, holes === 'read', opening),
    openTarget: (requirements: TargetRequirements): Promise<OpenTarget> =>
      openFileTarget(path, create, requirements),
  }
}

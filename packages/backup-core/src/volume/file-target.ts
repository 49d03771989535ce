import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { openDeviceTarget } from './device-target.js'
import { openExistingFileTarget } from './existing-file-target.js'
import { errnoOf, fileKind, targetError } from './file-errors.js'
import { openNewFileTarget } from './new-file-target.js'
import { removeLeftPartials } from './partial-file.js'
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

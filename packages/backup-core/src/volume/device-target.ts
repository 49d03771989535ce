import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { OpenTarget, TargetRequirements } from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { deviceNumber, deviceReadOnly, deviceSizeBytes, deviceUse, probeSizeBytes } from './block-device.js'
import { closeOnFailure } from './checked-volume.js'
import { FileTarget } from './file-target.js'
import { writing } from './positional-io.js'

/**
 * On Linux, O_EXCL without O_CREAT claims a block device, and fails with EBUSY while a mount, swap, RAID or LVM has
 * claimed it or one of its partitions, in any mount namespace. Elsewhere its meaning is undefined.
 */
const exclusive = process.platform === 'linux' ? constants.O_EXCL : 0

/** Opens a block device for a restore, exclusively: it cannot be mounted until it is closed. */
export function openDeviceTarget(path: string, requirements: TargetRequirements): Promise<OpenTarget> {
  return writing(path, async () => {
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

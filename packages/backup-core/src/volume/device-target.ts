import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import {
  deviceNumber,
  deviceReadOnly,
  deviceSizeBytes,
  deviceUse,
  probeSizeBytes,
  type DeviceNumber,
} from './block-device.js'
import { targetError, writeFully } from './positional-io.js'
import type { OpenTarget, TargetRequirements } from '../contracts/volume.js'

/** Opens a block device for a restore, and keeps it to itself: nobody can mount it until it is closed. */
export async function openDeviceTarget(path: string, requirements: TargetRequirements): Promise<OpenTarget> {
  try {
    const device = deviceNumber(await stat(path, { bigint: true }))
    await refuseUsed(path, device)
    await refuseReadOnly(path, device)
    refuseUnasked(path, requirements)
    await refuseSmall(path, device, requirements)
    const handle = await open(path, constants.O_WRONLY | exclusive)
    return await unlessReplaced(path, handle, device, requirements)
  } catch (error) {
    throw targetError(error, path)
  }
}

/**
 * On Linux, O_EXCL without O_CREAT claims a block device, and fails with EBUSY while a mount, swap, RAID or LVM has
 * claimed it or one of its partitions, in any mount namespace. Elsewhere its meaning is undefined.
 */
const exclusive = process.platform === 'linux' ? constants.O_EXCL : 0

async function refuseUsed(path: string, device: DeviceNumber): Promise<void> {
  const use = await deviceUse(device)
  if (use === undefined) return
  const message = `${path} ${use}. Unmount it or stop what uses it, then restore again.`
  throw new BackupError('TARGET_BUSY', message)
}

async function refuseReadOnly(path: string, device: DeviceNumber): Promise<void> {
  if (!(await deviceReadOnly(device))) return
  const message = `${path} is set read-only. Make it writable (blockdev --setrw), or choose another target.`
  throw new BackupError('TARGET_WRITE', message)
}

function refuseUnasked(path: string, { overwrite }: TargetRequirements): void {
  if (overwrite) return
  const message = `${path} is a block device, and nothing tells whether what it holds is needed. Set \`overwrite\` to restore to it.`
  throw new BackupError('TARGET_NOT_EMPTY', message)
}

async function refuseSmall(
  path: string,
  device: DeviceNumber,
  requirements: TargetRequirements,
): Promise<void> {
  const sizeBytes = (await deviceSizeBytes(device)) ?? (await probe(path))
  const needed = requirements.partial ? requirements.endBytes : requirements.volumeSizeBytes
  if (sizeBytes >= needed) return
  const message = `${path} has ${sizeBytes} bytes, and the restore needs ${needed}. Choose a larger device.`
  throw new BackupError('TARGET_TOO_SMALL', message)
}

async function probe(path: string): Promise<number> {
  const handle = await open(path, 'r')
  try {
    return await probeSizeBytes(handle)
  } finally {
    await handle.close()
  }
}

/** What was checked is the device behind the path a moment ago; what is written is the one behind the handle. */
async function unlessReplaced(
  path: string,
  handle: FileHandle,
  device: DeviceNumber,
  { signal }: TargetRequirements,
): Promise<OpenTarget> {
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isBlockDevice() || deviceNumber(stats) !== device) {
      throw new BackupError(
        'TARGET_BUSY',
        `${path} was replaced by another device while it was opened. Try again.`,
      )
    }
    throwIfAborted(signal, `Opening ${path}`)
    return new DeviceTarget(path, handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

class DeviceTarget implements OpenTarget {
  /** A device that was trimmed mostly reads as zeros, but none has to. */
  readonly readsAsZeros = false

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await writeFully(this.handle, bytes, this.path, offsetBytes)
  }

  async finish(): Promise<void> {
    await this.handle.sync().catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }

  async close(): Promise<void> {
    await this.handle.close().catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }
}

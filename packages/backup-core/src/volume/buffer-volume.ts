import { isUint8Array } from 'node:util/types'
import { describeValue } from '../checks/check-options.js'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { randomAccessVolume } from './random-access-volume.js'
import { isAllZeros } from './zeros.js'

/** A volume in memory. */
export interface BufferVolume extends VolumeSource, VolumeTarget {
  /** What the volume holds: the given buffer, or the last restored volume. */
  readonly bytes: Uint8Array
}

/**
 * A volume in memory, to back up and to restore to.
 *
 * A given buffer is like a device: its size is fixed (`TARGET_TOO_SMALL` when it is shorter than the restored volume; a
 * longer one keeps its rest), and one that is not all zeros is overwritten only with `overwrite` (`TARGET_NOT_EMPTY`).
 * Without one, a restore creates a buffer of the volume's size, which becomes `bytes` when the restore has succeeded.
 *
 * @throws BackupError `OPTION_INVALID` when `buffer` is not a `Uint8Array`.
 */
export function bufferVolume(buffer?: Uint8Array): BufferVolume {
  if (buffer !== undefined && !isUint8Array(buffer)) {
    throw new BackupError('OPTION_INVALID', `bufferVolume takes a Uint8Array, not ${describeValue(buffer)}.`)
  }
  const volume = {
    bytes: buffer ?? new Uint8Array(0),
    openSource(options?: VolumeOpenOptions): Promise<OpenSource> {
      const { bytes } = volume
      const read = (offset: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(bytes.subarray(offset, offset + length))
      return randomAccessVolume({ size: bytes.length, read }).openSource(options)
    },
    async openTarget(requirements: TargetRequirements): Promise<OpenTarget> {
      throwIfAborted(requirements.signal, 'Opening the buffer')
      const isZeros = isAllZeros(volume.bytes)
      if (!isZeros && !requirements.overwrite) {
        const message = 'The buffer is not all zeros. Set `overwrite`, or restore to another one.'
        throw new BackupError('TARGET_NOT_EMPTY', message)
      }
      const bytes = buffer ? fixed(buffer, requirements) : grown(volume.bytes, requirements)
      return Promise.resolve({
        // A new buffer is zeros; the copy for a partial restore is what its original was.
        readsAsZeros: isZeros || (!buffer && !requirements.partial),
        write: (from: Uint8Array, offsetBytes: number) => write(bytes, from, offsetBytes),
        finish: () => {
          volume.bytes = bytes
          return Promise.resolve()
        },
        close: () => Promise.resolve(),
      })
    },
  }
  return volume
}

function fixed(bytes: Uint8Array, { partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
  const needed = partial ? endBytes : volumeSizeBytes
  if (bytes.length >= needed) return bytes
  const message = `The buffer has ${bytes.length} bytes, and the restore needs ${needed}. Pass a longer one.`
  throw new BackupError('TARGET_TOO_SMALL', message)
}

function grown(before: Uint8Array, { partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
  const kept = partial ? before : new Uint8Array(0)
  const sizeBytes = kept.length === 0 ? volumeSizeBytes : Math.max(kept.length, endBytes)
  try {
    const bytes = new Uint8Array(sizeBytes)
    bytes.set(kept)
    return bytes
  } catch (cause) {
    const message = `No buffer of ${sizeBytes} bytes fits into memory. Restore to a file.`
    throw new BackupError('TARGET_TOO_SMALL', message, { cause })
  }
}

function write(bytes: Uint8Array, from: Uint8Array, offsetBytes: number): Promise<void> {
  if (offsetBytes + from.length > bytes.length) {
    const message = `A write of ${from.length} bytes at byte ${offsetBytes} goes past the buffer's ${bytes.length}.`
    return Promise.reject(new BackupError('TARGET_TOO_SMALL', message, { offsetBytes }))
  }
  bytes.set(from, offsetBytes)
  return Promise.resolve()
}

import { isUint8Array } from 'node:util/types'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { describeValue } from './describe-value.js'
import { isAllZeros } from './zeros.js'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from './volume.js'

/** A volume in memory. */
export interface BufferVolume extends VolumeSource, VolumeTarget {
  /** What the volume holds: the given buffer, or what was restored last. */
  readonly bytes: Uint8Array
}

/**
 * A volume in memory, to back up and to restore to.
 *
 * A given buffer is like a device: its size is fixed (`TARGET_TOO_SMALL` when it is shorter than what is restored; a
 * longer one keeps its rest), and what is not all zeros is only overwritten when told to (`TARGET_NOT_EMPTY`). With
 * none given, a restore makes one of the volume's size, and `bytes` changes to it when the restore has succeeded.
 *
 * @throws BackupError `OPTION_INVALID` when something else than a `Uint8Array` is given.
 */
export function bufferVolume(buffer?: Uint8Array): BufferVolume {
  if (buffer !== undefined && !isUint8Array(buffer)) {
    throw new BackupError('OPTION_INVALID', `bufferVolume takes a Uint8Array, not ${describeValue(buffer)}.`)
  }
  return new MemoryVolume(buffer ?? new Uint8Array(0), buffer === undefined)
}

class MemoryVolume implements BufferVolume {
  constructor(
    public bytes: Uint8Array,
    private readonly grows: boolean,
  ) {}

  async openSource({ signal }: VolumeOpenOptions = {}): Promise<OpenSource> {
    throwIfAborted(signal, 'Opening the buffer')
    const { bytes } = this
    return Promise.resolve({
      sizeBytes: bytes.length,
      seekable: true,
      read: (into: Uint8Array, offsetBytes: number) => {
        const part = bytes.subarray(offsetBytes, offsetBytes + into.length)
        into.set(part)
        return Promise.resolve(part.length)
      },
      close: () => Promise.resolve(),
    })
  }

  async openTarget(requirements: TargetRequirements): Promise<OpenTarget> {
    throwIfAborted(requirements.signal, 'Opening the buffer')
    const zero = isAllZeros(this.bytes)
    if (!zero && !requirements.overwrite) {
      const message = 'The buffer is not all zeros. Set `overwrite`, or restore to another one.'
      throw new BackupError('TARGET_NOT_EMPTY', message)
    }
    const bytes = this.grows ? this.grown(requirements) : this.fixed(requirements)
    return Promise.resolve({
      // A fresh buffer is zeros; a copy for a partial restore is what its original was.
      readsAsZeros: zero || (this.grows && !requirements.partial),
      write: (from: Uint8Array, offsetBytes: number) => write(bytes, from, offsetBytes),
      finish: () => {
        this.bytes = bytes
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    })
  }

  private fixed({ partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
    const needed = partial ? endBytes : volumeSizeBytes
    if (this.bytes.length >= needed) return this.bytes
    const message = `The buffer has ${this.bytes.length} bytes, and the restore needs ${needed}. Pass a longer one.`
    throw new BackupError('TARGET_TOO_SMALL', message)
  }

  private grown({ partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
    const kept = partial ? this.bytes : undefined
    const sizeBytes =
      kept === undefined || kept.length === 0 ? volumeSizeBytes : Math.max(kept.length, endBytes)
    try {
      const bytes = new Uint8Array(sizeBytes)
      if (kept !== undefined) bytes.set(kept)
      return bytes
    } catch (cause) {
      const message = `No buffer of ${sizeBytes} bytes fits into memory. Restore to a file.`
      throw new BackupError('TARGET_TOO_SMALL', message, { cause })
    }
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

import { isUint8Array } from 'node:util/types'
import { describeValue } from '../checks/check-options.js'
import type {
  OpenSource,
  OpenTarget,
  RandomAccessSource,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { callSource, requireSize, sourceError, unlessAborted } from './checked-volume.js'
import { isAllZeros } from './zeros.js'

/**
 * A source on top of a size and a `read(offset, length)`, which is called for several places concurrently.
 *
 * `read` may return fewer bytes than requested: it is called again for the rest. More bytes, anything but a
 * `Uint8Array`, and an error of `read` are `SOURCE_READ`; no bytes before the end are `SOURCE_CHANGED`.
 *
 * @throws BackupError `OPTION_INVALID` when `size` is not a whole number of bytes, or `read` is not a function.
 */
export function randomAccessVolume(source: RandomAccessSource): VolumeSource {
  const given: unknown = source
  if (typeof given !== 'object' || given === null) {
    const message = `randomAccessVolume takes an object with size and read(offset, length), not ${describeValue(given)}.`
    throw new BackupError('OPTION_INVALID', message)
  }
  requireSize(source.size, sizeName)
  const { read } = source as { readonly read: unknown }
  if (typeof read !== 'function') {
    const message = `A random-access source needs read(offset, length), not ${describeValue(read)}.`
    throw new BackupError('OPTION_INVALID', message)
  }
  return {
    openSource: ({ signal }: VolumeOpenOptions = {}): Promise<OpenSource> =>
      new Promise((resolve) => {
        throwIfAborted(signal, 'Opening the source')
        resolve(openRandomAccess(source, requireSize(source.size, sizeName)))
      }),
  }
}

const sizeName = 'The size of a source'

function openRandomAccess(source: RandomAccessSource, sizeBytes: number): OpenSource {
  return {
    sizeBytes,
    seekable: true,
    async read(into, offsetBytes, { signal } = {}) {
      const wanted = Math.max(0, Math.min(into.length, sizeBytes - offsetBytes))
      for (let done = 0; done < wanted;) {
        throwIfAborted(signal, 'Reading the source')
        const bytes = await readSome(source, offsetBytes + done, wanted - done, signal)
        if (bytes.length === 0) {
          const offset = offsetBytes + done
          const message = `The source ended at byte ${offset}, expected ${sizeBytes} bytes. Back up a snapshot of it.`
          throw new BackupError('SOURCE_CHANGED', message, { offsetBytes: offset })
        }
        into.set(bytes, done)
        done += bytes.length
      }
      return wanted
    },
    extents: () => source.extents?.() ?? [{ offsetBytes: 0, lengthBytes: sizeBytes }],
    changedSince: async (backupId) => source.changedSince?.(backupId),
    changed: () => {
      const { size } = source
      const message = `The source went from ${sizeBytes} to ${size} bytes while it was backed up.`
      return Promise.resolve(size === sizeBytes ? undefined : message)
    },
    close: () => Promise.resolve(),
  }
}

async function readSome(
  source: RandomAccessSource,
  offsetBytes: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const what = `read(${offsetBytes}, ${length})`
  const bytes: unknown = await callSource({ what, signal, offsetBytes }, () => {
    const reading = Promise.resolve().then(() => source.read(offsetBytes, length))
    return unlessAborted(reading, signal, 'Reading the source')
  })
  const returned = isUint8Array(bytes) ? `${bytes.length} bytes` : describeValue(bytes)
  if (!isUint8Array(bytes) || bytes.length > length) {
    const problem = `${what} returned ${returned}, expected a Uint8Array of at most ${length}`
    throw sourceError(problem, undefined, offsetBytes)
  }
  return bytes
}

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
  return new MemoryVolume(buffer ?? new Uint8Array(0), buffer === undefined)
}

class MemoryVolume implements BufferVolume {
  constructor(
    public bytes: Uint8Array,
    private readonly grows: boolean,
  ) {}

  openSource(options?: VolumeOpenOptions): Promise<OpenSource> {
    const { bytes } = this
    const read = (offset: number, length: number): Promise<Uint8Array> =>
      Promise.resolve(bytes.subarray(offset, offset + length))
    return randomAccessVolume({ size: bytes.length, read }).openSource(options)
  }

  async openTarget(requirements: TargetRequirements): Promise<OpenTarget> {
    throwIfAborted(requirements.signal, 'Opening the buffer')
    const zero = isAllZeros(this.bytes)
    if (!zero && !requirements.overwrite) {
      const message = 'The buffer is not all zeros. Set `overwrite`, or restore to another one.'
      throw new BackupError('TARGET_NOT_EMPTY', message)
    }
    const bytes = this.grows ? this.#grown(requirements) : this.#fixed(requirements)
    return Promise.resolve({
      // A new buffer is zeros; the copy for a partial restore is what its original was.
      readsAsZeros: zero || (this.grows && !requirements.partial),
      write: (from: Uint8Array, offsetBytes: number) => write(bytes, from, offsetBytes),
      finish: () => {
        this.bytes = bytes
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    })
  }

  #fixed({ partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
    const needed = partial ? endBytes : volumeSizeBytes
    if (this.bytes.length >= needed) return this.bytes
    const message = `The buffer has ${this.bytes.length} bytes, and the restore needs ${needed}. Pass a longer one.`
    throw new BackupError('TARGET_TOO_SMALL', message)
  }

  #grown({ partial, endBytes, volumeSizeBytes }: TargetRequirements): Uint8Array {
    const kept = partial ? this.bytes : new Uint8Array(0)
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
}

function write(bytes: Uint8Array, from: Uint8Array, offsetBytes: number): Promise<void> {
  if (offsetBytes + from.length > bytes.length) {
    const message = `A write of ${from.length} bytes at byte ${offsetBytes} goes past the buffer's ${bytes.length}.`
    return Promise.reject(new BackupError('TARGET_TOO_SMALL', message, { offsetBytes }))
  }
  bytes.set(from, offsetBytes)
  return Promise.resolve()
}

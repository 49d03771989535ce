import { isUint8Array } from 'node:util/types'
import { describeValue, hasMethods } from '../checks/check-options.js'
import type {
  BackupSource,
  OpenSource,
  OpenTarget,
  RandomAccessSource,
  TargetRequirements,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { callSource, requireSize, sourceError, unlessAborted } from './checked-volume.js'
import { isAllZeros } from './zeros.js'
import { isStream, streamVolume } from './stream-volume.js'

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

/**
 * Converts any source that `backup` accepts to a volume.
 *
 * @throws BackupError `OPTION_INVALID` for anything else; the message lists what is accepted
 */
export function asVolumeSource(source: BackupSource): VolumeSource {
  if (isUint8Array(source)) return bufferVolume(source)
  if (isVolumeSource(source)) return source
  // Before the random-access sources: a Readable has a `read` too.
  if (isStream(source)) return streamVolume(source)
  if (isRandomAccess(source)) return randomAccessVolume(source)
  throw new BackupError(
    'OPTION_INVALID',
    `A source must be a volume (fileVolume(path)), a Buffer or Uint8Array, a Readable, a ReadableStream, an ` +
      `AsyncIterable of Uint8Array or { size, read(offset, length) }, not ${describeValue(source)}.${hint(source)}`,
  )
}

function isVolumeSource(value: unknown): value is VolumeSource {
  return hasMethods(value, ['openSource'])
}

function isRandomAccess(value: unknown): value is RandomAccessSource {
  return hasMethods(value, ['read']) && 'size' in value
}

function hint(value: unknown): string {
  if (typeof value === 'string') return ' For the file of that name, use fileVolume(path).'
  if (value instanceof URL) return ' For a file: URL, use fileVolume(fileURLToPath(url)).'
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return ' Wrap it: new Uint8Array(buffer).'
  if (value instanceof Promise) return ' It is a promise: did you forget `await`?'
  if (value instanceof Blob) return ' Use blob.stream().'
  return ''
}

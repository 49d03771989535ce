import { isUint8Array } from 'node:util/types'
import { describeValue } from '../checks/check-options.js'
import type { OpenSource, RandomAccessSource, VolumeOpenOptions, VolumeSource } from '../contracts/volume.js'
import { BackupError, throwIfAborted, unlessAborted } from '../errors/backup-error.js'
import { callSource, requireSize, sourceError } from './checked-volume.js'

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
    changeWarning: () => {
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

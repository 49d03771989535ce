import { isUint8Array } from 'node:util/types'
import { describeValue, hasMethods } from '../checks/check-options.js'
import type { BackupSource, RandomAccessSource, VolumeSource } from '../contracts/volume.js'
import { BackupError } from '../errors/backup-error.js'
import { bufferVolume } from './buffer-volume.js'
import { randomAccessVolume } from './random-access-volume.js'
import { isStream, streamVolume } from './stream-volume.js'

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

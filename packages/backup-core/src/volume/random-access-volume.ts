import { isUint8Array } from 'node:util/types'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { errorOfCall, unlessAborted } from './checked-volume.js'
import { describeValue } from '../checks/check-options.js'
import type {
  OpenSource,
  OpenTarget,
  RandomAccessSource,
  TargetRequirements,
  VolumeExtent,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { isAllZeros } from './zeros.js'

/**
 * A source on top of a size and a `read(offset, length)`. `read` is called for several places at once.
 *
 * An answer may be shorter than asked for: the rest is asked for again. One that is longer, or not a `Uint8Array`, and
 * whatever `read` throws, is `SOURCE_READ`; an empty one before the end is `SOURCE_CHANGED`.
 *
 * @throws BackupError `OPTION_INVALID` when `size` is not a whole number of bytes, or `read` no function.
 */
export function randomAccessVolume(source: RandomAccessSource): VolumeSource {
  const given: unknown = source
  if (typeof given !== 'object' || given === null) {
    const message = `randomAccessVolume takes an object with size and read(offset, length), not ${describeValue(given)}.`
    throw new BackupError('OPTION_INVALID', message)
  }
  requireSize(source.size)
  const { read } = source as { readonly read: unknown }
  if (typeof read !== 'function') {
    const message = `A random-access source needs read(offset, length), not ${describeValue(read)}.`
    throw new BackupError('OPTION_INVALID', message)
  }
  return {
    openSource: ({ signal }: VolumeOpenOptions = {}): Promise<OpenSource> => {
      return new Promise((resolve) => {
        throwIfAborted(signal, 'Opening the source')
        resolve(new RandomAccess(source, requireSize(source.size)))
      })
    },
  }
}

function requireSize(size: unknown): number {
  if (Number.isSafeInteger(size) && (size as number) >= 0) return size as number
  const shown = typeof size === 'number' ? String(size) : describeValue(size)
  throw new BackupError(
    'OPTION_INVALID',
    `The size of a source must be a whole number of bytes, not ${shown}.`,
  )
}

class RandomAccess implements OpenSource {
  readonly seekable = true

  constructor(
    private readonly source: RandomAccessSource,
    readonly sizeBytes: number,
  ) {}

  async read(into: Uint8Array, offsetBytes: number, options: VolumeOpenOptions = {}): Promise<number> {
    const wanted = Math.max(0, Math.min(into.length, this.sizeBytes - offsetBytes))
    for (let done = 0; done < wanted;) {
      throwIfAborted(options.signal, 'Reading the source')
      const answer = await this.ask(offsetBytes + done, wanted - done, options.signal)
      into.set(answer, done)
      done += answer.length
    }
    return wanted
  }

  extents(): AsyncIterable<VolumeExtent> | Iterable<VolumeExtent> {
    return this.source.extents?.() ?? [{ offsetBytes: 0, lengthBytes: this.sizeBytes }]
  }

  async changedSince(
    backupId: string,
  ): Promise<AsyncIterable<VolumeExtent> | Iterable<VolumeExtent> | undefined> {
    return this.source.changedSince?.(backupId)
  }

  changed(): Promise<string | undefined> {
    const now: number = this.source.size
    if (now === this.sizeBytes) return Promise.resolve(undefined)
    return Promise.resolve(`The source went from ${this.sizeBytes} to ${now} bytes while it was backed up.`)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  private async ask(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const reading = Promise.resolve().then(() => this.source.read(offset, length))
    const answer: unknown = await unlessAborted(reading, signal, 'Reading the source').catch(
      (error: unknown) => {
        throw errorOfCall(error, { operation: 'Reading the source', signal }, (why) =>
          readFailure(offset, `read(${offset}, ${length}) failed: ${why}`, error),
        )
      },
    )
    if (!isUint8Array(answer)) {
      throw readFailure(offset, `read(${offset}, ${length}) gave ${describeValue(answer)}, not a Uint8Array.`)
    }
    if (answer.length > length) {
      throw readFailure(
        offset,
        `read(${offset}, ${length}) gave ${answer.length} bytes, more than were asked for.`,
      )
    }
    if (answer.length > 0) return answer
    const message = `The source ended at byte ${offset}, before its ${this.sizeBytes} bytes. Back up a snapshot of it.`
    throw new BackupError('SOURCE_CHANGED', message, { offsetBytes: offset })
  }
}

function readFailure(offsetBytes: number, message: string, cause?: unknown): BackupError {
  return new BackupError('SOURCE_READ', `Cannot read the source: ${message}`, { cause, offsetBytes })
}

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

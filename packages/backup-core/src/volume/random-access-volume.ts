import { isUint8Array } from 'node:util/types'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { errorOfCall } from './checked-call.js'
import { describeValue } from './describe-value.js'
import { unlessAborted } from './unless-aborted.js'
import type {
  OpenSource,
  RandomAccessSource,
  VolumeExtent,
  VolumeOpenOptions,
  VolumeSource,
} from './volume.js'

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

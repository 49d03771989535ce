import { isUint8Array } from 'node:util/types'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { checkOptions } from '../options/check-options.js'
import type { OptionShape } from '../options/option-rule.js'
import { optionRules } from '../options/rules.js'
import { errorOfCall } from './checked-call.js'
import { describeValue } from './describe-value.js'
import { streamPieces } from './stream-pieces.js'
import type { StreamPieces } from './stream-pieces.js'
import { unlessAborted } from './unless-aborted.js'
import type { OpenSource, VolumeOpenOptions, VolumeSource } from './volume.js'

/** Options of {@link streamVolume}. */
export interface StreamVolumeOptions {
  /**
   * How many bytes the stream will give, for a progress in percent. A stream that gives fewer or more ends the
   * backup with `SOURCE_CHANGED`. @default not known
   */
  readonly sizeBytes?: number
}

const streamVolumeShape: OptionShape<StreamVolumeOptions> = { sizeBytes: optionRules.wholeNumber(0) }

/**
 * A source that is read once, from its start to its end: an async iterable of `Uint8Array`s, a Node `Readable` or a
 * web `ReadableStream`. Its pieces may have any size.
 *
 * The stream belongs to the source from here on: it is destroyed, cancelled or returned when the backup ends early.
 * An error of the stream is `SOURCE_READ`, and so is anything in it that is not a `Uint8Array`.
 *
 * @throws BackupError `OPTION_INVALID` when it is no such stream, or `sizeBytes` no size.
 */
export function streamVolume(
  stream: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
  options: StreamVolumeOptions = {},
): VolumeSource {
  checkOptions('the options of streamVolume()', options, streamVolumeShape)
  const { sizeBytes } = options
  const start = streamPieces(stream)
  let used = false
  return {
    async openSource({ signal }: VolumeOpenOptions = {}): Promise<OpenSource> {
      throwIfAborted(signal, 'Opening the stream')
      if (used)
        throw new BackupError('SOURCE_READ', 'The stream has been read already: it can be backed up once.')
      used = true
      const source = new StreamSource(start(), sizeBytes)
      // Nobody reads a volume of no bytes, so whether the stream keeps its word is looked at here.
      if (sizeBytes === 0)
        await closeOnFailure(source, source.read(noBytes, 0, { ...(signal && { signal }) }))
      return source
    },
  }
}

const noBytes = new Uint8Array(0)

async function closeOnFailure(source: OpenSource, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    await source.close()
    throw error
  }
}

class StreamSource implements OpenSource {
  readonly seekable = false
  private piece: Uint8Array = noBytes
  private position = 0
  private ended = false
  /** Bytes may be lost with whatever failed: nothing can be read after it. */
  private failure: BackupError | undefined

  constructor(
    private readonly pieces: StreamPieces,
    readonly sizeBytes: number | undefined,
  ) {}

  async read(into: Uint8Array, offsetBytes: number, options: VolumeOpenOptions = {}): Promise<number> {
    if (offsetBytes !== this.position) {
      const message = `A stream is read in order: byte ${this.position} comes next, not ${offsetBytes}.`
      throw new BackupError('SOURCE_READ', message, { offsetBytes })
    }
    let done = 0
    while (done < into.length && (await this.fill(options.signal))) {
      const part = this.piece.subarray(0, into.length - done)
      into.set(part, done)
      this.piece = this.piece.subarray(part.length)
      done += part.length
      this.position += part.length
    }
    await this.checkSize(options.signal)
    return done
  }

  async close(): Promise<void> {
    await this.pieces.close()
  }

  /** Sees to it that the current piece has bytes; false at the end of the stream. */
  private async fill(signal: AbortSignal | undefined): Promise<boolean> {
    while (this.piece.length === 0 && !this.ended) {
      if (this.failure !== undefined) throw this.failure
      try {
        throwIfAborted(signal, 'Reading the stream')
        const answer = await unlessAborted(this.pieces.next(), signal, 'Reading the stream')
        if (answer.done === true) this.ended = true
        else this.piece = this.bytes(answer.value)
      } catch (error) {
        this.failure = this.readError(error, signal)
        throw this.failure
      }
    }
    return this.piece.length > 0
  }

  private bytes(value: unknown): Uint8Array {
    if (isUint8Array(value)) return value
    const hint = typeof value === 'string' ? ' Set no encoding on it.' : ''
    const message = `The stream gave ${describeValue(value)} at byte ${this.position}, not a Uint8Array.${hint}`
    throw new BackupError('SOURCE_READ', message, { offsetBytes: this.position })
  }

  private readError(error: unknown, signal: AbortSignal | undefined): BackupError {
    return errorOfCall(error, { operation: 'Reading the stream', signal }, (why) => {
      const message = `The stream failed after ${this.position} bytes: ${why}`
      return new BackupError('SOURCE_READ', message, { cause: error, offsetBytes: this.position })
    })
  }

  /** Compares what came with what was announced. At the announced end it looks for one byte more. */
  private async checkSize(signal: AbortSignal | undefined): Promise<void> {
    const { sizeBytes, position } = this
    if (sizeBytes === undefined) return
    const more = position > sizeBytes || (position === sizeBytes && (await this.fill(signal)))
    if (!more && (position === sizeBytes || !this.ended)) return
    const got = more ? 'gives more bytes than that' : `ended after ${position}`
    const message = `The stream was said to have ${sizeBytes} bytes, and ${got}. Pass its true size, or none.`
    throw new BackupError('SOURCE_CHANGED', message, { offsetBytes: position })
  }
}

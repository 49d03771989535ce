import { isUint8Array } from 'node:util/types'
import { BackupError, throwIfAborted, unlessAborted } from '../errors/backup-error.js'
import {
  checkOptions,
  describeValue,
  hasMethods,
  optionRules,
  type OptionShape,
} from '../checks/check-options.js'
import { closeOnFailure, errorOfCall } from './checked-volume.js'
import type { OpenSource, VolumeOpenOptions, VolumeSource } from '../contracts/volume.js'

/** Options of {@link streamVolume}. */
export interface StreamVolumeOptions {
  /**
   * The number of bytes of the stream, for a progress in percent. A stream with fewer or more ends the backup with
   * `SOURCE_CHANGED`. @default not known
   */
  readonly sizeBytes?: number
}

const streamVolumeShape: OptionShape<StreamVolumeOptions> = { sizeBytes: optionRules.wholeNumber(0) }

/**
 * A source that is read once, in order: an async iterable of `Uint8Array`s, a Node `Readable` or a web
 * `ReadableStream`. Its pieces may have any size.
 *
 * The source owns the stream: it is destroyed, cancelled or returned when the backup ends early. An error of the stream
 * is `SOURCE_READ`, and so is a piece that is not a `Uint8Array`.
 *
 * @throws BackupError `OPTION_INVALID` for another kind of stream, or an invalid `sizeBytes`.
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
      if (used)
        throw new BackupError(
          'SOURCE_READ',
          'The stream was read before, and can be backed up only once. Pass a new one.',
        )
      used = true
      const source = new StreamSource(start(), sizeBytes)
      return closeOnFailure(source, async () => {
        throwIfAborted(signal, 'Opening the stream')
        // The engine does not read a volume of no bytes: whether the stream has none is checked here.
        if (sizeBytes === 0) await source.read(noBytes, 0, { ...(signal && { signal }) })
        return source
      })
    },
  }
}

const noBytes = new Uint8Array(0)

class StreamSource implements OpenSource {
  readonly seekable = false
  private piece: Uint8Array = noBytes
  private position = 0
  /** The stream has ended, failed or was closed. */
  private ended = false
  private isPending = false
  /** A failed read may lose bytes: every later read fails as well. */
  private failure: BackupError | undefined

  constructor(
    private readonly pieces: StreamPieces,
    readonly sizeBytes: number | undefined,
  ) {}

  async read(into: Uint8Array, offsetBytes: number, options: VolumeOpenOptions = {}): Promise<number> {
    if (offsetBytes !== this.position) {
      const message = `A stream is read in order: expected a read at byte ${this.position}, not at ${offsetBytes}.`
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
    if (this.ended) return
    this.ended = true
    await this.pieces.close(this.isPending)
  }

  /** Reads the next piece if the current one is used up; false at the end of the stream. */
  private async fill(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.failure !== undefined) throw this.failure
    while (this.piece.length === 0 && !this.ended) {
      try {
        throwIfAborted(signal, 'Reading the stream')
        const answer = await unlessAborted(this.next(), signal, 'Reading the stream')
        if (answer.done !== true) this.piece = this.bytes(answer.value)
      } catch (error) {
        this.failure = this.readError(error, signal)
        throw this.failure
      }
    }
    return this.piece.length > 0
  }

  private async next(): Promise<IteratorResult<unknown>> {
    this.isPending = true
    try {
      const answer = await this.pieces.next()
      this.isPending = false
      if (answer.done === true) this.ended = true
      return answer
    } catch (error) {
      this.ended = true
      throw error
    }
  }

  private bytes(value: unknown): Uint8Array {
    if (isUint8Array(value)) return value
    const hint = typeof value === 'string' ? ' Do not set an encoding on it.' : ''
    const message = `The stream yielded ${describeValue(value)} at byte ${this.position}, expected a Uint8Array.${hint}`
    throw new BackupError('SOURCE_READ', message, { offsetBytes: this.position })
  }

  private readError(error: unknown, signal: AbortSignal | undefined): BackupError {
    return errorOfCall(error, 'Reading the stream', signal, (why) => {
      const message = `The stream failed after ${this.position} bytes: ${why}`
      return new BackupError('SOURCE_READ', message, { cause: error, offsetBytes: this.position })
    })
  }

  /** Compares the bytes read with the expected size. At the expected end it checks for one byte more. */
  private async checkSize(signal: AbortSignal | undefined): Promise<void> {
    const { sizeBytes, position } = this
    if (sizeBytes === undefined) return
    const more = position > sizeBytes || (position === sizeBytes && (await this.fill(signal)))
    if (!more && (position === sizeBytes || !this.ended)) return
    const found = more ? 'has more than' : `ended after ${position} of`
    const message = `The stream ${found} the expected ${sizeBytes} bytes (\`sizeBytes\`). Check what writes it, or correct the expected size.`
    throw new BackupError('SOURCE_CHANGED', message, { offsetBytes: position })
  }
}

/** What all kinds of stream have in common. The pieces are not validated yet. */
interface StreamPieces {
  next(): Promise<IteratorResult<unknown>>
  /** Ends a stream that has not ended, also while `next` is pending. */
  close(isPending: boolean): Promise<void>
}

/**
 * Recognises a kind of stream, and returns a function that starts reading it.
 *
 * @throws BackupError `OPTION_INVALID` for anything else.
 */
function streamPieces(stream: unknown): () => StreamPieces {
  if (isWebStream(stream)) return () => webPieces(stream)
  if (isNodeReadable(stream)) {
    // Node ends the process on an `error` event without a listener, and the stream may fail long before it is read.
    // The stream keeps the error, and the first read reports it.
    stream.on('error', () => undefined)
    return () => nodePieces(stream)
  }
  if (isAsyncIterable(stream)) return () => iteratorPieces(stream)
  throw new BackupError(
    'OPTION_INVALID',
    `A stream must be a Readable, a ReadableStream or an AsyncIterable of Uint8Array, not ${describeValue(stream)}.`,
  )
}

function webPieces(stream: ReadableStream<unknown>): StreamPieces {
  if (stream.locked) throw alreadyRead('is locked by another reader')
  const reader = stream.getReader()
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    close: () => reader.cancel().catch(() => undefined),
  }
}

function nodePieces(stream: NodeReadable): StreamPieces {
  if (stream.errored === null && (stream.destroyed === true || stream.readableEnded === true)) {
    throw alreadyRead('has ended or was destroyed')
  }
  const iterator = stream[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    close: () => {
      // The iterator's `return` would wait for a pending `next`, which may never settle.
      stream.destroy()
      return Promise.resolve()
    },
  }
}

function iteratorPieces(stream: AsyncIterable<unknown>): StreamPieces {
  const iterator = stream[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    close: async (isPending) => {
      const returned = Promise.resolve(iterator.return?.()).catch(() => undefined)
      // A generator settles `return` only after a pending `next`, which may never settle.
      if (!isPending) await returned
    },
  }
}

function alreadyRead(why: string): BackupError {
  return new BackupError('SOURCE_READ', `The stream ${why}, so some of its bytes are gone. Pass a new one.`)
}

/** The part of Node's Readable that is used; other libraries implement it as well. */
interface NodeReadable extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
  readonly destroyed?: boolean
  readonly readableEnded?: boolean
  readonly errored?: unknown
}

function isWebStream(value: unknown): value is ReadableStream<unknown> {
  return hasMethods(value, ['getReader', 'cancel'])
}

function isNodeReadable(value: unknown): value is NodeReadable {
  return hasMethods(value, [Symbol.asyncIterator, 'on', 'destroy'])
}

/** Whether a value can be iterated with `for await`, by its own async iterator. */
function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return hasMethods(value, [Symbol.asyncIterator])
}

/** Whether a value is a stream that {@link streamVolume} takes. */
export function isStream(value: unknown): value is AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> {
  return isWebStream(value) || isAsyncIterable(value)
}

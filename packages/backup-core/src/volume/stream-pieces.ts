import { BackupError } from '../errors/backup-error.js'
import { describeValue } from './describe-value.js'

/** What the kinds of stream have in common: the next piece, whatever it is, and giving the stream up. */
export interface StreamPieces {
  next(): Promise<IteratorResult<unknown>>
  /** Ends the stream, also one that has not answered yet. Never rejects: whoever closes has a result or an error. */
  close(): Promise<void>
}

/**
 * Recognises a stream, and returns how to start reading it.
 *
 * @throws BackupError `OPTION_INVALID` when it is none.
 */
export function streamPieces(stream: unknown): () => StreamPieces {
  if (isWebStream(stream)) return () => webPieces(stream)
  if (isNodeReadable(stream)) {
    // Node ends the process over an `error` event that nobody hears, and the stream may fail long before it is read.
    // The error is not lost: the stream remembers it and the first read reports it.
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
    next: async () => {
      const { done, value } = await reader.read()
      return { done, value }
    },
    close: async () => {
      await reader.cancel().catch(() => undefined)
    },
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
      // Not by way of the iterator: its `return` waits for a `next` that may never be answered.
      stream.destroy()
      return Promise.resolve()
    },
  }
}

function iteratorPieces(stream: AsyncIterable<unknown>): StreamPieces {
  const iterator = stream[Symbol.asyncIterator]()
  let state: 'idle' | 'pending' | 'over' = 'idle'
  return {
    next: async () => {
      state = 'pending'
      try {
        const answer = await iterator.next()
        state = answer.done === true ? 'over' : 'idle'
        return answer
      } catch (error) {
        state = 'over'
        throw error
      }
    },
    close: async () => {
      if (state === 'over') return
      // A generator answers `return` only after the `next` before it, which may never come: it is told, not awaited.
      const waits = state === 'idle'
      state = 'over'
      const returned = Promise.resolve(iterator.return?.()).catch(() => undefined)
      if (waits) await returned
    },
  }
}

function alreadyRead(why: string): BackupError {
  return new BackupError(
    'SOURCE_READ',
    `The stream ${why}, so its bytes are not all there. Pass a fresh one.`,
  )
}

/** The part of Node's Readable that is used, whichever library made it. */
interface NodeReadable extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
  readonly destroyed?: boolean
  readonly readableEnded?: boolean
  readonly errored?: unknown
}

function isWebStream(value: unknown): value is ReadableStream<unknown> {
  return hasFunctions(value, 'getReader', 'cancel')
}

function isNodeReadable(value: unknown): value is NodeReadable {
  return isAsyncIterable(value) && hasFunctions(value, 'on', 'destroy')
}

/** Whether a value can be iterated with `for await`, by its own async iterator. */
function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return hasFunctions(value, Symbol.asyncIterator)
}

function hasFunctions(value: unknown, ...keys: PropertyKey[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return keys.every((key) => typeof (value as Record<PropertyKey, unknown>)[key] === 'function')
}

/** Whether {@link streamPieces} would take the value. */
export function isStream(value: unknown): value is AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> {
  return isWebStream(value) || isAsyncIterable(value)
}

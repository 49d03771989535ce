import { abortedError, BackupError, type ReplayableBody } from '@stowage/backup-core'
import type { Dispatcher } from 'undici'
import { piecesOf, type BodySink } from './bodies.js'
import { ExchangeWatch, type HttpTimeouts } from './exchange-watch.js'

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Scheme, host and port. */
  readonly origin: string
  /** Sent unchanged: `..` is not resolved and nothing is decoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: ReplayableBody
  /** Uses a separate connection: for servers that close connections after each response without notice. */
  readonly closeConnection?: boolean
  /** The server processes the request during its response, and sends spaces meanwhile. */
  readonly isPaced?: boolean
}

/** The result of {@link exchange}. */
export interface HttpResponse<T> {
  readonly head: ResponseHead
  readonly value: T
}

/** A failure of the source of the request body, which is never retried. */
export class RequestBodyError extends Error {
  constructor(cause: unknown) {
    super('The body of the request could not be read.', { cause })
    this.name = 'RequestBodyError'
  }
}

/** A failure of the exchange itself, and not of the code that uses the response. */
export class ExchangeError extends Error {
  constructor(override readonly cause: Error) {
    super(cause.message, { cause })
    this.name = 'ExchangeError'
  }
}

/** Receives one response. */
export interface ResponseReceiver {
  /** Sending begins, also for the second time if the request is sent by other means. */
  readonly onStart: (abort: (error: Error) => void) => void
  readonly onHead: (head: ResponseHead) => void
  /** The memory of a piece may be overwritten when this returns. */
  readonly onPiece: (piece: Uint8Array) => void
  readonly onEnd: () => void
  readonly onError: (error: Error) => void
}

/** The clients that may send a request. */
export interface ExchangeClients {
  readonly dispatcher: { get(): Promise<Dispatcher> }
  /** Sends a request, or returns false if it does not support it. Calls `other` if it does not support the response. */
  readonly directGets:
    | {
        send(request: HttpRequest, bodyMs: number, receiver: ResponseReceiver, other: () => void): boolean
      }
    | undefined
}

/**
 * Sends one request once and receives its whole response. Follows no redirect, repeats nothing, interprets no status.
 * `openSink` returns the sink for the body; an error that it or the sink throws ends the exchange.
 */
export function exchange<T>(
  { dispatcher, directGets }: ExchangeClients,
  request: HttpRequest,
  openSink: (head: ResponseHead) => BodySink<T>,
  timeouts: HttpTimeouts,
  signal: AbortSignal | undefined,
): Promise<HttpResponse<T>> {
  return new Promise((resolve, reject) => {
    let abort: ((error: Error) => void) | undefined
    let failure: Error | undefined
    let sink: BodySink<T> | undefined
    let head: ResponseHead | undefined

    const watch = new ExchangeWatch(timeouts, (error) => {
      fail(new ExchangeError(error))
    })
    const settle = (outcome: () => void): void => {
      watch.stop()
      signal?.removeEventListener('abort', onAbort)
      // The connection may serve another request by now.
      abort = undefined
      outcome()
    }
    const fail = (error: Error): void => {
      failure ??= error
      abort?.(failure)
      settle(() => {
        reject(failure ?? error)
      })
    }
    const onAbort = (): void => {
      if (signal) fail(abortedError(signal, 'The request'))
    }
    if (signal?.aborted) {
      onAbort()
      return
    }
    signal?.addEventListener('abort', onAbort, { once: true })

    const { body } = request
    const pieces = async function* (source: ReplayableBody): AsyncGenerator<Uint8Array> {
      try {
        watch.sourceRequested()
        for await (const piece of piecesOf(source)) {
          watch.sourceProvided(piece.byteLength)
          yield piece
          watch.sourceRequested()
        }
        watch.sent()
      } catch (error) {
        failure ??= new RequestBodyError(error)
        throw error
      }
    }

    const receiver: ResponseReceiver = {
      onStart(abortRequest) {
        abort = abortRequest
        watch.started(body?.lengthBytes ?? 0)
        if (failure) abort(failure)
      },
      onHead(received) {
        try {
          head = received
          watch.answered(announcedBytes(head), request.isPaced ?? false)
          sink = openSink(head)
        } catch (error) {
          fail(asError(error))
        }
      },
      onPiece(piece) {
        if (failure) return
        watch.received(piece.byteLength)
        try {
          sink?.push(piece)
        } catch (error) {
          fail(asError(error))
        }
      },
      onEnd() {
        if (failure || !head || !sink) {
          fail(failure ?? new ExchangeError(new Error('the response ended before its head')))
          return
        }
        try {
          const answer = { head, value: sink.end() }
          settle(() => {
            resolve(answer)
          })
        } catch (error) {
          fail(asError(error))
        }
      },
      onError(error) {
        fail(new ExchangeError(error))
      },
    }
    const dispatch = async (): Promise<void> => {
      try {
        const client = await dispatcher.get()
        if (failure) return
        client.dispatch(
          {
            origin: request.origin,
            path: request.path,
            method: request.method,
            headers: {
              ...request.headers,
              ...(body ? { 'content-length': String(body.lengthBytes) } : {}),
            },
            // undici sends any async iterable; its types name readables alone.
            body: body && body.lengthBytes > 0 ? (pieces(body) as unknown as null) : null,
            headersTimeout: timeouts.headersMs,
            bodyTimeout: timeouts.bodyMs,
            reset: request.closeConnection ?? false,
          },
          handlerOf(receiver),
        )
      } catch (error) {
        fail(new ExchangeError(asError(error)))
      }
    }
    const other = (): void => {
      void dispatch()
    }
    if (directGets?.send(request, timeouts.bodyMs, receiver, other) !== true) other()
  })
}

/** Receives a response from undici. */
function handlerOf(receiver: ResponseReceiver): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      receiver.onStart((error) => {
        controller.abort(error)
      })
    },
    onResponseStart(_controller, status, headers) {
      if (status >= 200) receiver.onHead({ status, headers })
    },
    onResponseData(_controller, piece) {
      receiver.onPiece(piece)
    },
    onResponseEnd() {
      receiver.onEnd()
    },
    onResponseError(_controller, error) {
      receiver.onError(asError(error))
    },
  }
}

/** For the deadline alone; what the caller makes of the header is the sink's. */
function announcedBytes({ headers }: ResponseHead): number | undefined {
  const text = headers['content-length']
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Returns a header of a response. Rejects a repeated header: of two ETags or lengths, neither is reliable.
 */
export function headerOf(head: ResponseHead, name: string): string | undefined {
  const value = head.headers[name]
  if (Array.isArray(value)) {
    throw new BackupError(
      'STORE_FAILED',
      `The response repeats the header ${name} ${value.length} times. Check proxies before the server.`,
    )
  }
  return value
}

/** The request's name on the server: what an operator searches the logs for. */
export function requestIdOf(head: ResponseHead): string | undefined {
  for (const name of ['x-trans-id', 'x-openstack-request-id', 'x-amz-request-id']) {
    const value = head.headers[name]
    if (typeof value === 'string') return value.slice(0, 100)
  }
  return undefined
}

/** Returns the Content-Length of a response; undefined without a valid one. */
export function contentLengthOf(head: ResponseHead): number | undefined {
  const text = headerOf(head, 'content-length')
  if (text === undefined) return undefined
  const length = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(length) ? length : undefined
}

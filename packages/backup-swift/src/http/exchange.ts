import type { ReplayableBody } from '@stowage/backup-core'
import { abortedError } from '@stowage/backup-core'
import type { Dispatcher } from 'undici'
import type { BodySink } from './body-sinks.js'
import { piecesOf } from './request-body.js'
import type { ResponseHead } from './response.js'

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Scheme, host and port. */
  readonly origin: string
  /** Sent as it is: nothing resolves `..` or decodes it on the way. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: ReplayableBody
  /** Uses a connection of its own: for servers that close after each answer without saying so. */
  readonly closeConnection?: boolean
}

/** How long a server may be silent. */
export interface HttpTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number
  /** Between the last byte that it took from us and the first one of its answer. */
  readonly headersMs: number
  /** Between two pieces of its answer. */
  readonly bodyMs: number
}

/** What {@link exchange} gives back. */
export interface HttpAnswer<T> {
  readonly head: ResponseHead
  readonly value: T
}

/** A failure of the request's own body: not the network's, and so never repeated. */
export class RequestBodyError extends Error {
  constructor(cause: unknown) {
    super('The body of the request could not be read.', { cause })
    this.name = 'RequestBodyError'
  }
}

/**
 * Sends one request once and takes in its whole answer. Follows no redirect, repeats nothing, judges no status.
 * `openSink` says, from the head, where the body goes; what it or the sink throws ends the exchange.
 */
export function exchange<T>(
  dispatcher: Dispatcher,
  request: HttpRequest,
  openSink: (head: ResponseHead) => BodySink<T>,
  timeouts: HttpTimeouts,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer<T>> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let failure: Error | undefined
    let sink: BodySink<T> | undefined
    let head: ResponseHead | undefined

    const settle = (outcome: () => void): void => {
      signal?.removeEventListener('abort', onAbort)
      outcome()
    }
    const fail = (error: Error): void => {
      failure ??= error
      controller?.abort(failure)
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
        yield* piecesOf(source)
      } catch (error) {
        failure ??= new RequestBodyError(error)
        throw error
      }
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        if (failure) started.abort(failure)
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return
        try {
          head = { status, headers }
          sink = openSink(head)
        } catch (error) {
          fail(asError(error))
        }
      },
      onResponseData(_controller, piece) {
        if (failure) return
        try {
          sink?.push(piece)
        } catch (error) {
          fail(asError(error))
        }
      },
      onResponseEnd() {
        if (failure || !head || !sink) {
          fail(failure ?? new Error('The answer ended before its head.'))
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
      onResponseError(_controller, error) {
        fail(error)
      },
    }

    try {
      dispatcher.dispatch(
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
        handler,
      )
    } catch (error) {
      fail(asError(error))
    }
  })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

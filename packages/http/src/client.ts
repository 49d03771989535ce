import { BackupError, type BackupErrorCode, type RetryListener } from '@stowage/backup-core'
import { ConnectionPool, type ConnectionOptions, type NamedProxy, type Route } from './connection-pool.js'
import { DEFAULT_RETRY, DEFAULT_TIMEOUTS, withConnectionDefaults } from './defaults.js'
import type { HttpTimeouts } from './exchange-watch.js'
import {
  exchange,
  ExchangeError,
  RequestBodyError,
  requestIdOf,
  type HttpResponse,
  type HttpRequest,
  type ResponseHead,
} from './exchange.js'
import { AttemptFailure, retrying, type RetryPolicy } from './retry.js'
import { collect, discard, type BodySink } from './bodies.js'
import { masked, quotable, quotableUrl } from './mask.js'
import {
  isUnreached,
  networkFailureOf,
  retryAfterMs,
  statusMeaning,
  type OptionNames,
  type RetryAdvice,
} from './failures.js'

/** Options of {@link HttpClient}. */
export interface HttpClientOptions {
  /** Certificates and proxies. @default the system's authorities, and the proxies of the environment */
  readonly connection?: Partial<ConnectionOptions>
  /** @default {@link DEFAULT_TIMEOUTS} */
  readonly timeouts?: Partial<HttpTimeouts>
  /** @default {@link DEFAULT_RETRY} */
  readonly retry?: Partial<RetryPolicy>
  /** Called before each retry. */
  readonly onRetry?: RetryListener
  /** Masked in the text of every server. */
  readonly secrets?: readonly string[]
  /** What errors call the options of the backend that are passed on as `connection`. @default the names here */
  readonly optionNames?: Partial<OptionNames>
}

const defaultNames: OptionNames = {
  caCertificates: 'connection.caCertificates',
  clientCertificate: 'connection.clientCertificate and connection.clientKey',
  insecure: 'connection.insecure',
}

/** Sends requests with time limits and retries over one pool of connections. Knows no tokens, and no particular server. */
export class HttpClient {
  readonly #pool: ConnectionPool
  readonly #timeouts: HttpTimeouts
  readonly #retry: RetryPolicy
  readonly #onRetry: RetryListener | undefined
  readonly #secrets: readonly string[]
  readonly #names: OptionNames

  /** Opens no connection. @throws `OPTION_INVALID` for a proxy variable that is not a URL */
  constructor({
    connection = {},
    timeouts,
    retry,
    onRetry,
    secrets = [],
    optionNames,
  }: HttpClientOptions = {}) {
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts }
    this.#retry = { ...DEFAULT_RETRY, ...retry }
    this.#pool = new ConnectionPool(withConnectionDefaults(connection, this.#timeouts.connectMs))
    this.#onRetry = onRetry
    this.#secrets = secrets
    this.#names = { ...defaultNames, ...optionNames }
  }

  /** Makes one attempt. Rejects with an {@link AttemptFailure}, or with an error that no retry can solve. */
  sendOnce<T>(request: HttpRequest, sending: Sending<T>, signal?: AbortSignal): Promise<HttpResponse<T>> {
    const masking = { ...sending, secrets: [...this.#secrets, ...(sending.secrets ?? [])] }
    const route = this.#pool.routeTo(request.origin)
    return sendOnce({ route, timeouts: this.#timeouts, names: this.#names }, request, masking, signal)
  }

  /** Retries an attempt by the policy of the client; fields of `policy` take precedence. */
  retrying<T>(
    operation: string,
    attempt: (retry: number) => Promise<T>,
    signal?: AbortSignal,
    policy: Partial<RetryPolicy> = {},
  ): Promise<T> {
    const onRetry = this.#onRetry
    return retrying({ ...this.#retry, ...policy }, signal, attempt, onRetry && { operation, onRetry })
  }

  /** Sends a request, and retries it by the policy. */
  send<T>(request: HttpRequest, sending: Sending<T>, signal?: AbortSignal): Promise<HttpResponse<T>> {
    return this.retrying(sending.what, () => this.sendOnce(request, sending, signal), signal)
  }

  /** Closes all connections, and aborts the requests that use them. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** The meaning of a status for one request. */
export interface Refusal {
  readonly code: BackupErrorCode
  readonly message: string
  /** @default 'never' */
  readonly retry?: RetryAdvice
  /** The maximum number of retries, if it is less than that of the policy. */
  readonly maxRetries?: number
}

/** How the response to a request is handled. */
export interface Sending<T> {
  /** The operation, which begins an error message: `Storing object a in container b`. */
  readonly what: string
  /** Opens the sink for the body of an accepted response. */
  readonly sink: (head: ResponseHead) => BodySink<T>
  /** The statuses that are not a failure. */
  readonly accept: readonly number[]
  /** Returns the meaning of a status if it is special for this request. */
  readonly refusal?: (status: number, text: string, head: ResponseHead) => Refusal | undefined
  /** Masked in the text of the server. */
  readonly secrets?: readonly string[]
  /** The details of every error. */
  readonly details?: { readonly container?: string; readonly objectName?: string }
}

const maxQuotedBytes = 8192

/** How a client sends. */
interface Way {
  readonly route: Route
  readonly timeouts: HttpTimeouts
  readonly names: OptionNames
}

async function sendOnce<T>(
  { route, timeouts, names }: Way,
  request: HttpRequest,
  sending: Sending<T>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse<T>> {
  const { proxy } = route
  type Taken = { readonly taken: T } | { readonly refused: string }
  let answer: HttpResponse<Taken>
  try {
    answer = await exchange<Taken>(
      route,
      request,
      (head) =>
        sending.accept.includes(head.status)
          ? mapped(sending.sink(head), (taken) => ({ taken }))
          : request.method === 'HEAD'
            ? mapped(discard(), () => ({ refused: '' }))
            : mapped(collect(maxQuotedBytes, true), (bytes) => ({ refused: bytes.toString('utf8') })),
      timeouts,
      signal,
    )
  } catch (error) {
    throw asAttemptFailure(error, request, sending, { proxy, names })
  }
  const { head, value } = answer
  if ('taken' in value) return { head, value: value.taken }
  throw refused(head, value.refused, sending, proxy)
}

function asAttemptFailure<T>(
  error: unknown,
  request: HttpRequest,
  sending: Sending<T>,
  { proxy, names }: { readonly proxy: NamedProxy | undefined; readonly names: OptionNames },
): unknown {
  if (error instanceof RequestBodyError) return error.cause
  if (!(error instanceof ExchangeError)) return error
  const failure = networkFailureOf(error.cause, names)
  const server = `The server is ${quotableUrl(request.origin)}`
  const message = !proxy
    ? `${sending.what} failed: ${failure.text}. ${server}.`
    : isUnreached(error.cause)
      ? `${sending.what} failed: cannot connect to the proxy ${proxy.url} of ${proxy.variable}: ${failure.text}. Correct or ` +
        `unset ${proxy.variable}, or add the server to NO_PROXY. ${server}.`
      : `${sending.what} failed: ${failure.text}. ${server}, through the proxy ${proxy.url} of ${proxy.variable}.`
  return new AttemptFailure(
    new BackupError(failure.code, message, { ...sending.details, cause: error.cause }),
    failure.retry,
    { mayHaveHappened: true, maxRetries: failure.maxRetries },
  )
}

function refused<T>(
  head: ResponseHead,
  text: string,
  sending: Sending<T>,
  proxy: NamedProxy | undefined,
): AttemptFailure {
  const { status } = head
  const meaning = statusMeaning(status)
  const retryAfter = head.headers['retry-after']
  const waitMs = retryAfterMs(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now())
  const id = requestIdOf(head)
  const requestId = id === undefined ? undefined : masked(id, sending.secrets ?? [])
  const said = quotable(text, sending.secrets)
  const own = sending.refusal?.(status, text, head)
  const facts = [
    `status ${status}`,
    requestId === undefined ? '' : `request ${requestId}`,
    said && `the server reports: ${said}`,
    proxy ? `through the proxy ${proxy.url} of ${proxy.variable}` : '',
  ]
  const where = `(${facts.filter((fact) => fact !== '').join('; ')})`
  const error = new BackupError(
    own?.code ?? meaning.code,
    own ? `${own.message} ${where}` : `${sending.what} failed ${where}. ${meaning.text}`,
    { ...sending.details, status, ...(requestId === undefined ? {} : { requestId }) },
  )
  const retry = own ? (own.retry ?? 'never') : meaning.retry
  const mayHaveHappened = status >= 500 || status === 408 || status === 499
  return new AttemptFailure(error, retry, {
    retryAfterMs: waitMs,
    mayHaveHappened,
    maxRetries: own ? own.maxRetries : meaning.maxRetries,
  })
}

function mapped<T, U>(sink: BodySink<T>, map: (value: T) => U): BodySink<U> {
  return {
    push: (piece) => {
      sink.push(piece)
    },
    end: () => map(sink.end()),
  }
}

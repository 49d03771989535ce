import { DirectConnection, type DirectTls } from './direct-connection.js'
import type { HttpRequest, ResponseReceiver } from './exchange.js'
import { NetworkError } from './network-error.js'
import { parseResponseHead, type ParsedHead } from './response-head.js'

/** Longer heads are left to undici, which has a limit of its own. */
const MAX_HEAD_BYTES = 16 * 1024
const START_OF_HEAD = 'HTTP/1.1 '
const END_OF_HEAD = '\r\n\r\n'

/** Options of {@link DirectGets}. */
export interface DirectGetsOptions {
  readonly tls: DirectTls
  readonly connectTimeoutMs: number
  /** Idle connections are closed after this time. */
  readonly keepAliveMs: number
}

/**
 * Sends GET requests over connections of its own, and passes their bodies on without a copy. undici copies each piece of a
 * response into the memory of its parser, and Node.js allocates memory for it.
 *
 * It takes only what is certain: a request without a body, a response of HTTP/1.1 with one Content-Length. All else is left to
 * undici: the request is sent again through it, and later ones of the same origin immediately. A GET may be sent again.
 */
export class DirectGets {
  readonly #options: DirectGetsOptions
  readonly #connections = new Set<DirectConnection>()
  readonly #idle: DirectConnection[] = []
  readonly #sessions = new Map<string, Buffer>()
  readonly #otherOrigins = new Set<string>()
  #isDestroyed = false

  constructor(options: DirectGetsOptions) {
    this.#options = options
  }

  /**
   * Sends a request, unless it is not one for this client.
   *
   * @param bodyMs - the maximum time between two pieces of the response; the time to its head is limited by the caller
   * @param other - sends the request by other means; called at most once, and only before `receiver` has a head
   * @returns false if the request was not taken, and nothing was done
   */
  send(request: HttpRequest, bodyMs: number, receiver: ResponseReceiver, other: () => void): boolean {
    if (this.#isDestroyed || this.#otherOrigins.has(request.origin)) return false
    const head = requestHead(request)
    if (head === undefined) return false
    this.#sendOn(this.#idleConnection(request.origin), { request, head, bodyMs, receiver, other })
    return true
  }

  /** Closes all connections, and fails the requests that use them. */
  destroy(): void {
    this.#isDestroyed = true
    for (const connection of this.#connections) connection.destroy(destroyed())
  }

  #sendOn(kept: DirectConnection | undefined, get: DirectGet): void {
    let connection: DirectConnection
    try {
      connection = kept ?? this.#open(get.request.origin)
    } catch (error) {
      // Such as a client key that does not match its certificate.
      get.receiver.onError(error instanceof Error ? error : new Error(String(error)))
      return
    }
    const response = new DirectResponse(get, connection, {
      onUnsupported: (isLasting) => {
        if (isLasting) this.#otherOrigins.add(get.request.origin)
        get.other()
      },
      // The server closed a kept connection while the request was on its way.
      onUnanswered:
        kept &&
        ((): void => {
          if (this.#isDestroyed) get.receiver.onError(destroyed())
          else this.#sendOn(undefined, get)
        }),
      onComplete: (keptMs) => {
        const keepMs = Math.min(keptMs, this.#options.keepAliveMs)
        if (keepMs <= 0 || this.#isDestroyed) connection.destroy(new NetworkError('UND_ERR_SOCKET', 'closed'))
        else {
          connection.rest(keepMs)
          this.#idle.push(connection)
        }
      },
    })
    response.start()
  }

  #idleConnection(origin: string): DirectConnection | undefined {
    // The last one used: the others may close.
    const index = this.#idle.findLastIndex((one) => one.origin === origin)
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0]
  }

  #open(origin: string): DirectConnection {
    const { tls, connectTimeoutMs } = this.#options
    const connection = new DirectConnection({
      origin,
      tls,
      connectTimeoutMs,
      session: this.#sessions.get(origin),
      onSession: (session) => this.#sessions.set(origin, session),
      onClosed: () => {
        this.#connections.delete(connection)
        const index = this.#idle.indexOf(connection)
        if (index >= 0) this.#idle.splice(index, 1)
      },
    })
    this.#connections.add(connection)
    return connection
  }
}

/** A request, and who receives its response. */
interface DirectGet {
  readonly request: HttpRequest
  readonly head: string
  readonly bodyMs: number
  readonly receiver: ResponseReceiver
  readonly other: () => void
}

/** How a response ends for the connections. */
interface ResponseOutcome {
  /** @param isLasting - whether other responses will be of this kind */
  readonly onUnsupported: (isLasting: boolean) => void
  readonly onUnanswered: (() => void) | undefined
  /** @param keptMs - for how long the server keeps the connection */
  readonly onComplete: (keptMs: number) => void
}

/** Receives one response. */
class DirectResponse {
  readonly #get: DirectGet
  readonly #connection: DirectConnection
  readonly #outcome: ResponseOutcome
  #headBytes: Buffer = Buffer.alloc(0)
  #head: ParsedHead | undefined
  #missingBytes = 0
  #isDone = false

  constructor(get: DirectGet, connection: DirectConnection, outcome: ResponseOutcome) {
    this.#get = get
    this.#connection = connection
    this.#outcome = outcome
  }

  start(): void {
    const { receiver, head } = this.#get
    let isAborted = false
    const abort = (error: Error): void => {
      isAborted = true
      this.#isDone = true
      this.#connection.destroy(error)
    }
    this.#connection.use({
      onConnected: () => {
        receiver.onStart(abort)
        if (!isAborted) this.#connection.write(head)
      },
      onBytes: (bytes) => {
        this.#receive(bytes)
      },
      onLost: (error) => {
        this.#lose(error)
      },
    })
  }

  #receive(bytes: Buffer): void {
    if (this.#isDone) return
    let rest = bytes
    if (!this.#head) {
      const afterHead = this.#receiveHead(bytes)
      if (afterHead === undefined) return
      rest = afterHead
    }
    const { receiver } = this.#get
    const body = rest.subarray(0, this.#missingBytes)
    this.#missingBytes -= body.byteLength
    if (body.byteLength > 0) receiver.onPiece(body)
    if (this.#missingBytes > 0 || this.#hasEnded()) return
    this.#isDone = true
    // Bytes after the body answer nothing that was asked.
    this.#outcome.onComplete(rest.byteLength > body.byteLength ? 0 : (this.#head?.keptMs ?? 0))
    receiver.onEnd()
  }

  /** Parses the head. Returns the bytes after it; undefined while it is incomplete, and after the end of the request. */
  #receiveHead(bytes: Buffer): Buffer | undefined {
    let all = this.#headBytes.byteLength === 0 ? bytes : Buffer.concat([this.#headBytes, bytes])
    for (;;) {
      const endBytes = all.indexOf(END_OF_HEAD)
      const start = all.toString('latin1', 0, 'HTTP/1.1 503'.length)
      const isHttp = START_OF_HEAD.startsWith(start.slice(0, START_OF_HEAD.length))
      if (!isHttp || (endBytes < 0 ? all.byteLength : endBytes) > MAX_HEAD_BYTES) {
        this.#leave(start)
        return undefined
      }
      if (endBytes < 0) {
        // The memory is overwritten by what comes next.
        this.#headBytes = Buffer.from(all)
        return undefined
      }
      const text = all.toString('latin1', 0, endBytes)
      all = all.subarray(endBytes + END_OF_HEAD.length)
      // An interim response: RFC 9110, section 15.2. 101 changes the protocol, for which nobody asked.
      if (/^HTTP\/1\.1 1(?!01)\d\d(?: |$|\r)/.test(text)) continue
      this.#head = parseResponseHead(text)
      if (!this.#head) {
        this.#leave(start)
        return undefined
      }
      this.#missingBytes = this.#head.bodyBytes
      this.#connection.limitPauses(this.#get.bodyMs)
      this.#get.receiver.onHead(this.#head)
      return this.#hasEnded() ? undefined : all
    }
  }

  /** What the receiver does with a head or a piece may end the request. */
  #hasEnded(): boolean {
    return this.#isDone
  }

  #leave(start: string): void {
    this.#isDone = true
    this.#connection.destroy(new NetworkError('UND_ERR_SOCKET', 'left to undici'))
    // An error that a gateway made itself shows nothing about the server.
    this.#outcome.onUnsupported(!/^HTTP\/1\.[01] [45]/.test(start))
  }

  #lose(error: Error): void {
    if (this.#isDone) return
    this.#isDone = true
    const { receiver } = this.#get
    const sendAgain = this.#outcome.onUnanswered
    if (sendAgain && !this.#head && this.#headBytes.byteLength === 0) sendAgain()
    else if (this.#head?.keptMs === 0 && isClosed(error))
      receiver.onError(
        new NetworkError('UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'the response is shorter than announced'),
      )
    else receiver.onError(error)
  }
}

function destroyed(): NetworkError {
  return new NetworkError('UND_ERR_DESTROYED', 'the client was closed')
}

function isClosed(error: Error): boolean {
  return error instanceof NetworkError && error.code === 'UND_ERR_SOCKET'
}

/** Returns the head of a request, or undefined if it is not for this client. */
function requestHead({
  method,
  origin,
  path,
  headers,
  body,
  closeConnection,
  isPaced,
}: HttpRequest): string | undefined {
  if (method !== 'GET' || body || closeConnection === true || isPaced === true) return undefined
  // What is unusual, undici checks and refuses.
  if (!URL.canParse(origin) || !/^\/[\x21-\x7e]*$/.test(path)) return undefined
  const lines = [`GET ${path} HTTP/1.1`, `host: ${new URL(origin).host}`, 'connection: keep-alive']
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) return undefined
    if (/^(?:host|connection|content-length|transfer-encoding|expect|upgrade|te)$/i.test(name))
      return undefined
    lines.push(`${name}: ${value}`)
  }
  return `${lines.join('\r\n')}${END_OF_HEAD}`
}

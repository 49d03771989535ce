/** How long a server may be silent, or slow. */
export interface HttpTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number
  /** Between the last byte that it took from us and the first one of its answer. Interim answers do not count. */
  readonly headersMs: number
  /** Between two pieces of its answer. */
  readonly bodyMs: number
  /** What it has to move, either way, on average over `windowMs`. */
  readonly minBytesPerSecond: number
  readonly windowMs: number
  /** For a whole exchange, and beyond it the time that its bodies take at `minBytesPerSecond`. */
  readonly exchangeMs: number
}

/** A server that goes on, and gets nowhere. */
export class SlowServerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SlowServerError'
  }
}

const minTickMs = 10
const maxTickMs = 1000

/**
 * Watches one exchange for what no time-out between two bytes can see: a body of one byte a second, an answer that
 * begins with `102 Processing` for ever. The time in which the caller's own source has nothing to send is not counted.
 */
export class ExchangeWatch {
  readonly #timeouts: HttpTimeouts
  readonly #onSlow: (error: SlowServerError) => void
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  #phase: 'connecting' | 'sending' | 'waiting' | 'receiving' = 'connecting'
  /** When the server last took a byte of the request; when the phase began, before. */
  #takenAt = this.#startedAt
  #windowAt = this.#startedAt
  #windowBytes = 0
  /** Bytes that the exchange is known to move. */
  #expectedBytes = 0
  #sourceSince: number | undefined
  #sourceMs = 0
  #isPaced = false
  #isStopped = false

  /** @param onSlow - called at most once */
  constructor(timeouts: HttpTimeouts, onSlow: (error: SlowServerError) => void) {
    this.#timeouts = timeouts
    this.#onSlow = onSlow
    const { windowMs, headersMs, exchangeMs } = timeouts
    const tickMs = Math.max(minTickMs, Math.min(maxTickMs, windowMs / 4, headersMs / 4, exchangeMs / 4))
    this.#timer = setInterval(() => {
      this.#tick(performance.now())
    }, tickMs)
  }

  /** The connection stands: the request goes out, with a body of so many bytes. */
  started(bodyBytes: number): void {
    this.#expectedBytes = bodyBytes
    this.#enter(bodyBytes > 0 ? 'sending' : 'waiting')
  }

  /** The server took what it was sent before, and the source is asked for more. */
  sourceAsked(): void {
    this.#takenAt = performance.now()
    this.#sourceSince = this.#takenAt
  }

  /** The source gave a piece, which goes to the server. */
  sourceGave(lengthBytes: number): void {
    this.#resume()
    this.#windowBytes += lengthBytes
  }

  /** The whole request has been handed to the socket. */
  sent(): void {
    this.#resume()
    // Some answers come before the whole request is out.
    if (this.#phase === 'sending') this.#enter('waiting')
  }

  /** The head of the answer came. `isPaced`: a server that sends spaces while it works may be as slow as it likes. */
  answered(bodyBytes: number | undefined, isPaced: boolean): void {
    this.#expectedBytes += bodyBytes ?? 0
    this.#isPaced = isPaced
    this.#resume()
    this.#enter('receiving')
  }

  /** A piece of the answer came. */
  received(lengthBytes: number): void {
    this.#windowBytes += lengthBytes
  }

  /** The exchange has ended. */
  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  #enter(phase: 'sending' | 'waiting' | 'receiving'): void {
    this.#phase = phase
    this.#takenAt = performance.now()
    this.#windowAt = this.#takenAt
    this.#windowBytes = 0
  }

  #resume(): void {
    if (this.#sourceSince === undefined) return
    const now = performance.now()
    const pausedMs = now - this.#sourceSince
    this.#sourceSince = undefined
    this.#sourceMs += pausedMs
    this.#windowAt += pausedMs
    this.#takenAt = now
  }

  #tick(now: number): void {
    if (this.#sourceSince !== undefined) return
    if (this.#problem(now)) {
      // A busy process is late with its timers before it is late with its sockets: what has come is read first.
      setImmediate(() => {
        const error = this.#isStopped || this.#sourceSince !== undefined ? undefined : this.#problem(now)
        if (!error) return
        this.stop()
        this.#onSlow(error)
      })
    } else if (now - this.#windowAt >= this.#timeouts.windowMs) {
      this.#windowAt = now
      this.#windowBytes = 0
    }
  }

  #problem(now: number): SlowServerError | undefined {
    return this.#tooLong(now) ?? this.#tooSlow(now)
  }

  #tooLong(now: number): SlowServerError | undefined {
    const { connectMs, headersMs, exchangeMs, minBytesPerSecond } = this.#timeouts
    const sinceMs = now - this.#takenAt
    if (this.#phase === 'connecting' && sinceMs > connectMs + headersMs) {
      return new SlowServerError(`no connection was made in ${seconds(sinceMs)}`)
    }
    if ((this.#phase === 'sending' || this.#phase === 'waiting') && sinceMs > headersMs) {
      return new SlowServerError(
        `the server took too long to take the request or to answer: ${seconds(sinceMs)}, of which ` +
          `headersTimeoutSeconds allows ${seconds(headersMs)}`,
      )
    }
    const totalMs = now - this.#startedAt - this.#sourceMs
    const allowedMs = exchangeMs + (this.#expectedBytes / minBytesPerSecond) * 1000
    if (totalMs <= allowedMs) return undefined
    return new SlowServerError(
      `the exchange took ${seconds(totalMs)}, of which exchangeTimeoutSeconds allows ${seconds(allowedMs)}`,
    )
  }

  #tooSlow(now: number): SlowServerError | undefined {
    const { minBytesPerSecond, windowMs } = this.#timeouts
    if (this.#phase !== 'receiving' && this.#phase !== 'sending') return undefined
    const elapsedMs = now - this.#windowAt
    if (elapsedMs < windowMs) return undefined
    const movedBytes = this.#windowBytes
    if (this.#isPaced || movedBytes >= (minBytesPerSecond * elapsedMs) / 1000) return undefined
    const verb = this.#phase === 'sending' ? 'took' : 'sent'
    return new SlowServerError(
      `the server ${verb} ${movedBytes} bytes in ${seconds(elapsedMs)}, less than minBytesPerSecond ` +
        `(${minBytesPerSecond}) asks for`,
    )
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

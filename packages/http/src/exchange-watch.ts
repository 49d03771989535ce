/** The time limits of an exchange. */
export interface HttpTimeouts {
  /** For establishing the connection, including TLS. */
  readonly connectMs: number
  /** From the last byte that the server accepted to the first of its response. Interim responses do not count. */
  readonly headersMs: number
  /** Between two pieces of the response. */
  readonly bodyMs: number
  /** The minimum average throughput over `windowMs`, in either direction. */
  readonly minBytesPerSecond: number
  readonly windowMs: number
  /** For the exchange; its bodies extend it by the time that they take at `minBytesPerSecond`. */
  readonly exchangeMs: number
}

/** An exchange without sufficient progress. */
export class SlowServerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SlowServerError'
  }
}

const minTickMs = 10
const maxTickMs = 1000

/**
 * Detects what a time-out between two bytes does not: a body of one byte per second, or `102 Processing` without end. The time
 * in which the caller's source provides no data is not counted.
 */
export class ExchangeWatch {
  readonly #timeouts: HttpTimeouts
  readonly #onSlow: (error: SlowServerError) => void
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  #phase: 'connecting' | 'sending' | 'waiting' | 'receiving' = 'connecting'
  /** When the server last accepted a byte of the request, or when the phase began. */
  #takenAt = this.#startedAt
  #windowAt = this.#startedAt
  #windowBytes = 0
  /** The known length of the bodies. */
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

  /** The connection is established: sending the request begins. */
  started(bodyBytes: number): void {
    this.#expectedBytes = bodyBytes
    this.#enter(bodyBytes > 0 ? 'sending' : 'waiting')
  }

  /** The server accepted the previous piece, and the next one is requested from the source. */
  sourceRequested(): void {
    this.#takenAt = performance.now()
    this.#sourceSince = this.#takenAt
  }

  /** The source provided a piece. */
  sourceProvided(lengthBytes: number): void {
    this.#resume()
    this.#windowBytes += lengthBytes
  }

  /** The whole request was written to the socket. */
  sent(): void {
    this.#resume()
    // Some responses arrive before the whole request is sent.
    if (this.#phase === 'sending') this.#enter('waiting')
  }

  /** The headers of the response arrived. With `isPaced` the throughput is not checked. */
  answered(bodyBytes: number | undefined, isPaced: boolean): void {
    this.#expectedBytes += bodyBytes ?? 0
    this.#isPaced = isPaced
    this.#resume()
    this.#enter('receiving')
  }

  /** A piece of the response arrived. */
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
      // In a busy process timers run before sockets are read: data that arrived is read first.
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
        `the server took too long to accept the request or to respond: ${seconds(sinceMs)}; headersTimeoutSeconds ` +
          `allows ${seconds(headersMs)}`,
      )
    }
    const totalMs = now - this.#startedAt - this.#sourceMs
    const allowedMs = exchangeMs + (this.#expectedBytes / minBytesPerSecond) * 1000
    if (totalMs <= allowedMs) return undefined
    return new SlowServerError(
      `the exchange took ${seconds(totalMs)}; exchangeTimeoutSeconds allows ${seconds(allowedMs)}`,
    )
  }

  #tooSlow(now: number): SlowServerError | undefined {
    const { minBytesPerSecond, windowMs } = this.#timeouts
    if (this.#phase !== 'receiving' && this.#phase !== 'sending') return undefined
    const elapsedMs = now - this.#windowAt
    if (elapsedMs < windowMs) return undefined
    const movedBytes = this.#windowBytes
    if (this.#isPaced || movedBytes >= (minBytesPerSecond * elapsedMs) / 1000) return undefined
    const verb = this.#phase === 'sending' ? 'accepted' : 'sent'
    return new SlowServerError(
      `the server ${verb} ${movedBytes} bytes in ${seconds(elapsedMs)}, less than minBytesPerSecond ` +
        `(${minBytesPerSecond}) requires`,
    )
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { NetworkError } from './network-error.js'

/** Holds what a local network delivers between two iterations of the event loop. */
const BUFFER_BYTES = 256 * 1024

/** A longer delay overflows a timer, which then runs at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** TLS of a connection, as for `tls.connect`. */
export interface DirectTls {
  readonly rejectUnauthorized: boolean
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Where a connection leads. */
export interface DirectTarget {
  /** Scheme, host and port. */
  readonly origin: string
  readonly tls: DirectTls
  readonly connectTimeoutMs: number
  /** A TLS session to resume. */
  readonly session?: Buffer | undefined
  readonly onSession: (session: Buffer) => void
  readonly onClosed: () => void
}

/** Who uses a connection: one request and its response. */
export interface ConnectionUser {
  readonly onConnected: () => void
  /** Bytes arrived. Their memory is overwritten when this returns. */
  readonly onBytes: (bytes: Buffer) => void
  /** The connection could not be established, or was lost. Called at most once. */
  readonly onLost: (error: Error) => void
}

/**
 * A connection that reads into one buffer of its own: by default Node.js allocates new memory for each 64 KiB that arrive,
 * which is garbage until it is collected.
 */
export class DirectConnection {
  readonly origin: string
  readonly #target: DirectTarget
  readonly #socket: Socket
  #user: ConnectionUser | undefined
  #isConnected = false
  #lost: Error | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(target: DirectTarget) {
    this.origin = target.origin
    this.#target = target
    this.#socket = open(target, {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (lengthBytes, memory) => {
        if (this.#user) this.#user.onBytes(memory.subarray(0, lengthBytes) as Buffer)
        else this.destroy(new NetworkError('UND_ERR_SOCKET', 'the server sent data without a request'))
        return true
      },
    })
    this.#socket.setNoDelay(true).setKeepAlive(true, 60_000)
    this.#closeAfter(
      target.connectTimeoutMs,
      () => new NetworkError('UND_ERR_CONNECT_TIMEOUT', 'the connection took too long'),
    )
    this.#socket.once(target.origin.startsWith('https:') ? 'secureConnect' : 'connect', () => {
      this.#stopTimer()
      this.#isConnected = true
      this.#user?.onConnected()
    })
    this.#socket.on('error', (error) => {
      this.destroy(error)
    })
    this.#socket.on('end', () => {
      this.destroy(new NetworkError('UND_ERR_SOCKET', 'other side closed'))
    })
    this.#socket.on('close', () => {
      this.destroy(new NetworkError('UND_ERR_SOCKET', 'closed'))
    })
  }

  /** Sets who uses the connection, which must be unused. */
  use(user: ConnectionUser): void {
    this.#socket.ref()
    if (!this.#isConnected) {
      this.#user = user
      return
    }
    this.#stopTimer()
    // What has arrived by now answers no request, and an end closes the connection: both are read first, without a user.
    setImmediate(() => {
      if (this.#lost) user.onLost(this.#lost)
      else {
        this.#user = user
        user.onConnected()
      }
    })
  }

  write(head: string): void {
    this.#socket.write(head, 'latin1')
  }

  /** Limits the time between two pieces of the response. */
  limitPauses(pauseMs: number): void {
    this.#socket.setTimeout(pauseMs).on('timeout', () => {
      const { bytesRead } = this.#socket
      // In a busy process timers run before sockets are read: data that arrived is read first.
      setImmediate(() => {
        if (this.#socket.bytesRead === bytesRead)
          this.destroy(new NetworkError('UND_ERR_BODY_TIMEOUT', 'the response paused for too long'))
      })
    })
  }

  /** The response is complete. Closes the connection after `keepMs` without another request. */
  rest(keepMs: number): void {
    this.#user = undefined
    this.#socket.setTimeout(0)
    this.#socket.removeAllListeners('timeout')
    this.#socket.unref()
    this.#closeAfter(keepMs, () => new NetworkError('UND_ERR_SOCKET', 'idle')).unref()
  }

  /** Closes the connection. `error` is for its user; later calls do nothing. */
  destroy(error: Error): void {
    if (this.#lost) return
    this.#lost = error
    this.#stopTimer()
    this.#socket.destroy()
    const user = this.#user
    this.#user = undefined
    this.#target.onClosed()
    user?.onLost(error)
  }

  #closeAfter(ms: number, error: () => Error): NodeJS.Timeout {
    const timer = setTimeout(
      () => {
        setImmediate(() => {
          if (this.#timer === timer) this.destroy(error())
        })
      },
      Math.min(ms, MAX_TIMER_MS),
    )
    this.#timer = timer
    return timer
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function open({ origin, tls, session, onSession }: DirectTarget, onread: OnReadOpts): Socket {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol !== 'https:') return connectTcp({ host, port: port === '' ? 80 : Number(port), onread })
  const secure: TLSSocket = connectTls({
    ...tls,
    host,
    port: port === '' ? 443 : Number(port),
    // RFC 6066, section 3: an address is not a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    ...(session ? { session } : {}),
    ...({ onread } as object),
  })
  secure.on('session', onSession)
  return secure
}

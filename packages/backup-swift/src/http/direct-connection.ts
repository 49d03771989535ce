import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { errors } from 'undici'

/** Holds what a local network delivers between two iterations of the event loop. */
const BUFFER_BYTES = 256 * 1024

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
        else this.destroy(new errors.SocketError('the server sent data without a request'))
        return true
      },
    })
    this.#socket.setNoDelay(true).setKeepAlive(true, 60_000)
    this.#closeAfter(target.connectTimeoutMs, () => new errors.ConnectTimeoutError())
    this.#socket.once(target.origin.startsWith('https:') ? 'secureConnect' : 'connect', () => {
      clearTimeout(this.#timer)
      this.#isConnected = true
      this.#user?.onConnected()
    })
    this.#socket.on('error', (error) => {
      this.destroy(error)
    })
    this.#socket.on('end', () => {
      this.destroy(new errors.SocketError('other side closed'))
    })
    this.#socket.on('close', () => {
      this.destroy(new errors.SocketError('closed'))
    })
  }

  /** Whether the connection can take a request. */
  get isUsable(): boolean {
    return this.#lost === undefined
  }

  /** Sets who uses the connection, which must be unused. */
  use(user: ConnectionUser): void {
    if (this.#isConnected) clearTimeout(this.#timer)
    this.#socket.ref()
    this.#user = user
    if (this.#lost) user.onLost(this.#lost)
    else if (this.#isConnected) user.onConnected()
  }

  write(head: string): void {
    this.#socket.write(head, 'latin1')
  }

  /** Limits the time between two pieces of the response. */
  limitPauses(pauseMs: number): void {
    this.#socket.setTimeout(pauseMs, () => {
      this.destroy(new errors.BodyTimeoutError())
    })
  }

  /** The response is complete. Closes the connection after `keepMs` without another request. */
  rest(keepMs: number): void {
    this.#user = undefined
    this.#socket.setTimeout(0)
    this.#socket.removeAllListeners('timeout')
    this.#socket.unref()
    this.#closeAfter(keepMs, () => new errors.SocketError('idle'))
    this.#timer?.unref()
  }

  /** Closes the connection. `error` is for its user; later calls do nothing. */
  destroy(error: Error): void {
    if (this.#lost) return
    this.#lost = error
    clearTimeout(this.#timer)
    this.#socket.destroy()
    const user = this.#user
    this.#user = undefined
    this.#target.onClosed()
    user?.onLost(error)
  }

  #closeAfter(ms: number, error: () => Error): void {
    this.#timer = setTimeout(() => {
      this.destroy(error())
    }, ms)
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

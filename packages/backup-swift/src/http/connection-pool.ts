import type { Dispatcher } from 'undici'
import { Agent, buildConnector, EnvHttpProxyAgent } from 'undici'
import { ReceiveBuffers } from './receive-buffers.js'

/** How connections are made. */
export interface ConnectionOptions {
  /** Certificates of the authorities to trust, PEM, instead of the system's. */
  readonly caCertificates?: string
  /** A client certificate and its key, PEM. */
  readonly clientCertificate?: string
  readonly clientKey?: string
  /** Accepts any certificate. */
  readonly insecure: boolean
  readonly connectTimeoutMs: number
  /** Where `http_proxy`, `https_proxy` and `no_proxy` are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Swift closes an idle connection at 60 s, unannounced: ours are given up long before. */
const keepAliveMs = 10_000

/** The connections of one driver, straight ones and those through a proxy. */
export class ConnectionPool {
  readonly #http: Dispatcher
  readonly #https: Dispatcher

  constructor(options: ConnectionOptions) {
    const { env } = options
    const tls = {
      rejectUnauthorized: !options.insecure,
      ...(options.caCertificates === undefined ? {} : { ca: options.caCertificates }),
      ...(options.clientCertificate === undefined ? {} : { cert: options.clientCertificate }),
      ...(options.clientKey === undefined ? {} : { key: options.clientKey }),
      timeout: options.connectTimeoutMs,
    }
    const common = {
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: 2 * keepAliveMs,
      pipelining: 1,
    }
    const straight = new Agent({ ...common, connect: connector(tls) })
    const through = (proxy: string | undefined): Dispatcher =>
      proxy === undefined || proxy === ''
        ? straight
        : new EnvHttpProxyAgent({
            ...common,
            connect: tls,
            requestTls: tls,
            httpProxy: proxy,
            httpsProxy: proxy,
            // Plain HTTP goes to a proxy as it is: many proxies tunnel to port 443 alone.
            proxyTunnel: false,
            noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
          })
    // HTTP_PROXY in capitals is left alone by curl, since a CGI server sets it from a header; Python's tools read it.
    this.#http = through(env['http_proxy'] ?? env['HTTP_PROXY'])
    this.#https = through(env['https_proxy'] ?? env['HTTPS_PROXY'])
  }

  /** What sends a request to `origin`. */
  dispatcherFor(origin: string): Dispatcher {
    return origin.startsWith('https:') ? this.#https : this.#http
  }

  /** Ends every connection and every request under way. */
  async destroy(): Promise<void> {
    await Promise.all([...new Set([this.#http, this.#https])].map((dispatcher) => dispatcher.destroy()))
  }
}

/** Connects as undici does; what comes over plain HTTP is read into memory that is used again. */
function connector(options: buildConnector.BuildOptions): buildConnector.connector {
  const standard = buildConnector(options)
  return (where, callback) => {
    if (where.protocol === 'https:') {
      standard(where, callback)
      return
    }
    const buffers = new ReceiveBuffers()
    // net.connect takes a readable high water mark, which its types do not know.
    const reading: buildConnector.BuildOptions = { ...options, ...buffers.options }
    buildConnector(reading)(where, (...result) => {
      if (result[1]) buffers.attach(result[1])
      callback(...result)
    })
  }
}

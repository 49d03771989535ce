import { BackupError } from '@stowage/backup-core'
import { DirectGets } from './direct-gets.js'
import { LazyDispatcher, makeAgent, makeProxyAgent } from './undici.js'

/** How connections are established. */
export interface ConnectionOptions {
  /** Certificates of the authorities to trust, PEM, instead of the system's. */
  readonly caCertificates?: string
  /** A client certificate and its key, PEM. */
  readonly clientCertificate?: string
  readonly clientKey?: string
  /** Accepts any certificate. */
  readonly insecure: boolean
  readonly connectTimeoutMs: number
  /** The variables `http_proxy`, `https_proxy` and `no_proxy`. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Swift closes idle connections after 60 s without notice: ours are closed long before. */
const keepAliveMs = 10_000

/** A proxy, for messages. */
export interface NamedProxy {
  /** Without user and password. */
  readonly url: string
  /** The variable that sets it. */
  readonly variable: string
}

/** The way of a request to its server. */
export interface Route {
  readonly dispatcher: LazyDispatcher
  /** Takes the requests that it can send; undefined through a proxy. */
  readonly directGets: DirectGets | undefined
  /** Undefined for a direct connection. */
  readonly proxy: NamedProxy | undefined
}

/** The connections of one driver, direct and through proxies. */
export class ConnectionPool {
  readonly #direct: Route
  readonly #http: Route
  readonly #https: Route
  readonly #noProxy: string
  readonly #directGets: DirectGets

  /** @throws `OPTION_INVALID` for a proxy variable that is not a URL */
  constructor(options: ConnectionOptions) {
    const { env } = options
    const trust = {
      rejectUnauthorized: !options.insecure,
      ...(options.caCertificates === undefined ? {} : { ca: options.caCertificates }),
      ...(options.clientCertificate === undefined ? {} : { cert: options.clientCertificate }),
      ...(options.clientKey === undefined ? {} : { key: options.clientKey }),
    }
    const tls = { ...trust, timeout: options.connectTimeoutMs }
    this.#directGets = new DirectGets({
      tls: trust,
      connectTimeoutMs: options.connectTimeoutMs,
      keepAliveMs,
    })
    const common = {
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: 2 * keepAliveMs,
      pipelining: 1,
    }
    this.#direct = {
      dispatcher: new LazyDispatcher(() => makeAgent({ ...common, connect: tls })),
      directGets: this.#directGets,
      proxy: undefined,
    }
    const through = (...variables: readonly string[]): Route => {
      const variable = variables.find((name) => env[name] !== undefined)
      const text = variable === undefined ? undefined : env[variable]
      if (variable === undefined || text === undefined || text === '') return this.#direct
      const uri = proxyUrl(text, variable)
      // Plain HTTP is not tunnelled: many proxies tunnel to port 443 only.
      const proxyOptions = { ...common, uri, connect: tls, requestTls: tls, proxyTunnel: false }
      const dispatcher = new LazyDispatcher(() => makeProxyAgent(proxyOptions))
      const { protocol, host } = new URL(uri)
      return { dispatcher, directGets: undefined, proxy: { url: `${protocol}//${host}`, variable } }
    }
    // curl ignores HTTP_PROXY in capitals, since a CGI server sets it from a header; Python's tools read it.
    this.#http = through('http_proxy', 'HTTP_PROXY')
    this.#https = through('https_proxy', 'HTTPS_PROXY')
    this.#noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  }

  /** Returns the route to an origin. */
  routeTo(origin: string): Route {
    const route = origin.startsWith('https:') ? this.#https : this.#http
    return route.proxy && isExempt(this.#noProxy, origin) ? this.#direct : route
  }

  /** Closes all connections, and aborts the requests that use them. */
  async destroy(): Promise<void> {
    this.#directGets.destroy()
    const all = new Set([this.#direct, this.#http, this.#https].map(({ dispatcher }) => dispatcher))
    await Promise.all([...all].map((dispatcher) => dispatcher.destroy()))
  }
}

/** Returns the URL of a proxy. As for curl, the scheme may be missing. */
function proxyUrl(text: string, variable: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(url)) throw notAProxy(variable)
  const { protocol, username, password } = new URL(url)
  if (!/^https?:$/.test(protocol) || !isDecodable(username) || !isDecodable(password))
    throw notAProxy(variable)
  return url
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function notAProxy(variable: string): BackupError {
  return new BackupError(
    'OPTION_INVALID',
    `The environment variable ${variable} must be the URL of an HTTP proxy, such as http://proxy.example:3128. Correct or ` +
      'unset it; percent-encode a user and a password.',
  )
}

/** Whether `no_proxy` exempts an origin, as for curl: hosts and all hosts of a domain, with or without a port; `*` for all. */
export function isExempt(noProxy: string, origin: string): boolean {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.toLowerCase()
  const portNumber = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const match = /^([^:]+|\[.*\]):(\d+)$/.exec(entry)
      if (match && Number(match[2]) !== portNumber) return false
      const name = (match?.[1] ?? entry).toLowerCase().replace(/^\*?\./, '')
      return host === name || host === `[${name}]` || host.endsWith(`.${name}`)
    })
}

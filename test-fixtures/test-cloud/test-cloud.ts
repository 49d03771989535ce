import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { AccountStore, html, json, type TestAnswer, type TestRequest } from './account-store.js'
import { FaultPlan, readBody, reply, withFault, type Fault, type SeenRequest } from './faults.js'
import { Identity, testUsers, testV1User } from './identity.js'
import { keystoneV2, keystoneV3, V1Auth } from './keystone-api.js'
import { infoOf, swiftAnswer, type ClusterBehaviour } from './swift-api.js'

/** How the cloud behaves. */
export interface TestCloudOptions extends Partial<ClusterBehaviour> {
  /** @default 3600 */
  readonly tokenSeconds?: number
  /** Whether there is a Keystone v2.0. @default false: 404 in HTML, as today's Keystone answers */
  readonly keystoneV2?: boolean
  /** PEM; with it the server speaks HTTPS alone. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Changes the catalog (in the shape of v3) that comes with a token. */
  readonly catalog?: (catalog: readonly unknown[], origin: string) => readonly unknown[]
}

/**
 * A Swift and a Keystone in this process, on a free port of 127.0.0.1, with everything in memory: for tests of faults
 * that a real cluster does not have on request. Its responses are those of Swift 2.30 and Keystone 22.
 */
export class TestCloud implements AsyncDisposable {
  readonly store = new AccountStore()
  readonly faults = new FaultPlan()
  readonly identity: Identity
  /** Every request so far, in order. */
  readonly requests: (SeenRequest & { readonly headers: IncomingMessage['headers'] })[] = []
  readonly #options: TestCloudOptions
  readonly #behaviour: ClusterBehaviour
  readonly #v1: V1Auth
  readonly #server: Server
  #origin = ''
  #transactions = 0

  private constructor(options: TestCloudOptions) {
    this.#options = options
    this.#behaviour = {
      maxFileSizeBytes: options.maxFileSizeBytes ?? 5 * 1024 ** 3 + 2,
      bulkDelete: options.bulkDelete ?? true,
      info: options.info ?? true,
      listingLimit: options.listingLimit ?? 10_000,
      policies: options.policies ?? ['gold', 'silver'],
      quotaBytes: options.quotaBytes ?? 0,
    }
    this.identity = new Identity(options.tokenSeconds ?? 3600)
    this.#v1 = new V1Auth(this.identity)
    const listener: RequestListener = (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)))
      })
    }
    this.#server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener)
  }

  /** Starts a cloud. */
  static async start(options: TestCloudOptions = {}): Promise<TestCloud> {
    const cloud = new TestCloud(options)
    await new Promise<void>((resolve, reject) => {
      cloud.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    const { port } = cloud.#server.address() as AddressInfo
    cloud.#origin = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`
    return cloud
  }

  /** Scheme, host and port of everything. */
  get origin(): string {
    return this.#origin
  }

  /** Keystone, with its version. */
  get keystoneUrl(): string {
    return `${this.#origin}/v3`
  }

  /** Where auth version 1 signs in. */
  get v1AuthUrl(): string {
    return `${this.#origin}/auth/v1.0`
  }

  /** The containers of demo's account. */
  get demo(): ReturnType<AccountStore['account']> {
    return this.store.account(`AUTH_${testUsers.demo.project.id}`)
  }

  /** The catalog that a project gets, in the shape of v3. */
  catalogFor(projectId: string): readonly unknown[] {
    const endpoint = (name: string, url: string): unknown => ({
      interface: name,
      region: 'RegionOne',
      region_id: 'RegionOne',
      url,
    })
    const account = `${this.#origin}/v1/AUTH_${projectId}`
    const catalog = [
      {
        type: 'identity',
        name: 'keystone',
        endpoints: ['public', 'internal', 'admin'].map((name) => endpoint(name, this.keystoneUrl)),
      },
      {
        type: 'object-store',
        name: 'swift',
        endpoints: [
          endpoint('public', account),
          endpoint('internal', account),
          endpoint('admin', this.#origin),
        ],
      },
    ]
    return this.#options.catalog?.(catalog, this.#origin) ?? catalog
  }

  /** The same in the shape of v2. */
  v2CatalogFor(projectId: string): readonly unknown[] {
    const account = `${this.#origin}/v1/AUTH_${projectId}`
    const addresses = (url: string): unknown => ({
      region: 'RegionOne',
      publicURL: url,
      internalURL: url,
      adminURL: url,
    })
    return [
      { type: 'identity', name: 'keystone', endpoints: [addresses(`${this.#origin}/v2.0`)] },
      { type: 'object-store', name: 'swift', endpoints: [addresses(account)] },
    ]
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => {
        if (error) reject(error)
        else resolve(count)
      })
    })
  }

  /** Ends the server and every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#server.close(() => {
        resolve()
      }),
    )
    this.#server.closeAllConnections()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query] = splitTarget(request.url ?? '/')
    const seen: SeenRequest = {
      service: serviceOf(path),
      method: request.method ?? 'GET',
      target: decodeURIComponent(path) + (query === '' ? '' : `?${query}`),
    }
    this.requests.push({ ...seen, headers: request.headers })
    const fault = this.faults.take(seen)
    if (fault?.kind === 'reset-before') {
      request.socket.destroy()
      return
    }
    if (fault?.kind === 'stall') return
    if (fault?.kind === 'revoke-tokens') this.identity.revokeAll()
    // An answer may come before the body has been read, as a 401 of Swift's does.
    const early = this.#refusal(seen, path, request, fault)
    const body = early ? Buffer.alloc(0) : await readBody(request, fault)
    if (!body) return
    const parsed: TestRequest = {
      method: seen.method,
      path,
      query: new URLSearchParams(
        fault?.kind === 'repeated-page' ? query.replace(/&?marker=[^&]*/, '') : query,
      ),
      headers: { ...flat(request), ...(fault?.kind === 'ignored-range' ? { range: undefined } : {}) },
      body,
    }
    const answer = withFault(early ?? this.#answer(seen, parsed), fault)
    if (fault?.kind === 'reset-during' || fault?.kind === 'reset-after') {
      request.socket.destroy()
      return
    }
    this.#transactions += 1
    const headers = {
      'x-trans-id': `tx${String(this.#transactions).padStart(21, '0')}-test`,
      ...answer.headers,
    }
    reply(request, response, { ...answer, headers }, fault)
    // Keystone under uWSGI closes after each answer without saying so.
    if (seen.service === 'keystone') response.once('finish', () => request.socket.end())
    if (early) request.resume()
  }

  #refusal(
    seen: SeenRequest,
    path: string,
    request: IncomingMessage,
    fault: Fault | undefined,
  ): TestAnswer | undefined {
    if (fault?.kind === 'status') {
      return html(fault.status, 'A fault', fault.headers)
    }
    if (seen.service !== 'swift') return undefined
    const token = this.identity.check(single(request.headers['x-auth-token']))
    const service = single(request.headers['x-service-token'])
    if (!token || (service !== undefined && !this.identity.check(service))) {
      return html(401, 'Unauthorized', { 'www-authenticate': 'Swift realm="unknown"' })
    }
    const account = path.split('/')[2]
    const own = token.user.id === 'tester' ? testV1User.account : `AUTH_${token.projectId ?? ''}`
    return account === own ? undefined : html(403, 'Forbidden')
  }

  #answer(seen: SeenRequest, request: TestRequest): TestAnswer {
    switch (seen.service) {
      case 'info':
        return this.#behaviour.info ? json(200, infoOf(this.#behaviour)) : html(404, 'Not Found')
      case 'v1':
        return this.#v1.answer(request, this.#origin)
      case 'keystone':
        return this.#keystone(request)
      // The service of TestS3.
      case 's3':
        return html(404, 'Not Found')
      case 'swift': {
        const [, , account = '', container, ...object] = request.path.split('/').map(decodeURIComponent)
        return swiftAnswer(
          this.store,
          this.#behaviour,
          account,
          {
            ...(container === undefined || container === '' ? {} : { container }),
            ...(object.length === 0 || object.join('/') === '' ? {} : { object: object.join('/') }),
          },
          request,
        )
      }
    }
  }

  #keystone(request: TestRequest): TestAnswer {
    if (request.path === '/v3/auth/tokens' && request.method === 'POST') {
      return keystoneV3(this.identity, (projectId) => this.catalogFor(projectId), request)
    }
    if (request.path === '/v2.0/tokens' && this.#options.keystoneV2) {
      return keystoneV2(this.identity, (projectId) => this.v2CatalogFor(projectId), request)
    }
    if (request.path === '/') return json(300, { versions: { values: [{ id: 'v3.14', status: 'stable' }] } })
    return html(404, 'Not Found')
  }
}

function serviceOf(path: string): SeenRequest['service'] {
  if (path.startsWith('/v1/')) return 'swift'
  if (path.startsWith('/auth/v1')) return 'v1'
  return path === '/info' ? 'info' : 'keystone'
}

function splitTarget(target: string): [string, string] {
  const mark = target.indexOf('?')
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
}

function flat(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, single(value)]))
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

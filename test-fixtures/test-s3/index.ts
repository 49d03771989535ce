import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestAnswer, TestRequest } from '../test-cloud/account-store.js'
import { FaultPlan, readBody, reply, withFault, type SeenRequest } from '../test-cloud/faults.js'
import { s3Answer, s3Error, type S3Behaviour, type StoredBucket } from './s3-api.js'
import { signatureProblem, type TestKeys } from './signature.js'

/** How the server behaves. */
export interface TestS3Options extends Partial<S3Behaviour> {
  /** @default us-east-1 */
  readonly region?: string
  /** What is added to the server's clock, in milliseconds. @default 0 */
  readonly clockOffsetMs?: number
}

export const testKeys: TestKeys = { accessKeyId: 'AKTEST', secretAccessKey: 'secret/of+the=test' }

const statusOf: Readonly<Record<string, number>> = {
  AuthorizationHeaderMalformed: 400,
  XAmzContentSHA256Mismatch: 400,
  InvalidToken: 400,
}

/**
 * An S3 in this process, on a free port of 127.0.0.1, with everything in memory: for tests of faults that a real one does not
 * have on request. It verifies every signature.
 */
export class TestS3 implements AsyncDisposable {
  readonly buckets = new Map<string, StoredBucket>()
  readonly faults = new FaultPlan()
  /** Every request so far, in order. */
  readonly requests: (SeenRequest & { readonly headers: IncomingMessage['headers'] })[] = []
  /** The keys that are valid now. */
  keys: readonly TestKeys[] = [testKeys]
  /** Each page of a listing is the first one. */
  repeatPages = false
  readonly #region: string
  readonly #clockOffsetMs: number
  readonly #behaviour: S3Behaviour
  readonly #server: Server
  #origin = ''

  private constructor(options: TestS3Options) {
    this.#region = options.region ?? 'us-east-1'
    this.#clockOffsetMs = options.clockOffsetMs ?? 0
    this.#behaviour = {
      listingLimit: options.listingLimit ?? 1000,
      conditionalPut: options.conditionalPut ?? true,
      etags: options.etags ?? 'md5',
      deleteObjects: options.deleteObjects ?? true,
      encodesKeys: options.encodesKeys ?? true,
    }
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)))
      })
    })
  }

  /** Starts a server. */
  static async start(options: TestS3Options = {}): Promise<TestS3> {
    const s3 = new TestS3(options)
    await new Promise<void>((resolve, reject) => {
      s3.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    s3.#origin = `http://127.0.0.1:${String((s3.#server.address() as AddressInfo).port)}`
    return s3
  }

  /** Scheme, host and port. */
  get origin(): string {
    return this.#origin
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
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s)
    const seen: SeenRequest = {
      service: 's3',
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
    const body = await readBody(request, fault)
    if (!body) return
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    )
    const parsed: TestRequest = {
      method: seen.method,
      path,
      query: new URLSearchParams(query.replaceAll('+', '%2B')),
      headers: { ...headers, ...(fault?.kind === 'ignored-range' ? { range: undefined } : {}) },
      body,
    }
    const early =
      fault?.kind === 'status' ? s3Error(fault.status, codeOf(fault), '', fault.headers) : undefined
    const answer = withFault(early ?? this.#answer(parsed), fault)
    if (fault?.kind === 'reset-during' || fault?.kind === 'reset-after') {
      request.socket.destroy()
      return
    }
    const date = new Date(Date.now() + this.#clockOffsetMs).toUTCString()
    reply(
      request,
      response,
      { ...answer, headers: { date, 'x-amz-request-id': 'TESTREQUEST', ...answer.headers } },
      fault,
    )
  }

  #answer(request: TestRequest): TestAnswer {
    const now = new Date(Date.now() + this.#clockOffsetMs)
    const problem = signatureProblem(request, { keys: this.keys, region: this.#region, now })
    if (problem !== undefined) {
      const region = `<Region>${this.#region}</Region>`
      const isRegion = problem === 'AuthorizationHeaderMalformed'
      return s3Error(
        statusOf[problem] ?? 403,
        problem,
        isRegion ? region : '',
        isRegion ? { 'x-amz-bucket-region': this.#region } : {},
      )
    }
    if (this.repeatPages) request.query.delete('continuation-token')
    const [, bucket = '', ...key] = request.path.split('/').map(decodeURIComponent)
    return s3Answer(
      this.buckets,
      this.#behaviour,
      {
        ...(bucket === '' ? {} : { bucket }),
        ...(key.join('/') === '' ? {} : { objectName: key.join('/') }),
      },
      request,
    )
  }
}

/** The code of a fault: its header `x-test-code`, or that of its status. */
function codeOf({ status, headers }: { status: number; headers?: Readonly<Record<string, string>> }): string {
  return (
    headers?.['x-test-code'] ??
    { 503: 'SlowDown', 500: 'InternalError', 403: 'AccessDenied' }[status] ??
    'Fault'
  )
}

import { type ReplayableBody } from '@stowage/backup-core'
import {
  AttemptFailure,
  bodyOf,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type Refusal,
  type ResponseHead,
  type RetryPolicy,
  type Sending,
} from '@stowage/http'
import type { CredentialKeeper } from '../auth/credential-keeper.js'
import type { S3Credentials } from '../auth/credentials.js'
import { signedHeaders, type SigningKeys } from '../auth/sign.js'
import { isRefusedKey, isSkewed, meaningOf, refusalOf, type S3Refusal } from './failures.js'
import { checkBucketHost, queryOf } from './names.js'

/** A request to a bucket, to an object in it, or to the service. */
export interface S3Call<T> extends Sending<T> {
  readonly method: HttpRequest['method']
  /** Undefined for the list of buckets. */
  readonly bucket?: string
  /** The path below the bucket, encoded, with its slash. */
  readonly keyPath?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** A body that the signature does not cover: the store verifies its MD5. */
  readonly body?: ReplayableBody
  /** A small body, whose SHA-256 the signature covers. */
  readonly signedBody?: Uint8Array
  /** The server works while it responds. */
  readonly isPaced?: boolean
}

/** Where requests go, and how they are signed. */
export interface S3Endpoint {
  readonly url: URL
  readonly region: string
  readonly pathStyle: boolean
}

/**
 * Sends signed requests. Gets other keys once if the store refuses them, and signs again with the store's time once if the clocks
 * differ.
 */
export class S3Transport {
  readonly endpoint: S3Endpoint
  readonly #http: HttpClient
  readonly #credentials: CredentialKeeper
  readonly #keys: SigningKeys = new Map()
  #clockOffsetMs = 0

  constructor(http: HttpClient, credentials: CredentialKeeper, endpoint: S3Endpoint) {
    this.#http = http
    this.#credentials = credentials
    this.endpoint = endpoint
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  /** Sends a request until it succeeds or fails permanently. */
  send<T>(call: S3Call<T>, signal?: AbortSignal, policy?: Partial<RetryPolicy>): Promise<HttpResponse<T>> {
    return this.retrying(call.what, () => this.sendOnce(call, signal), signal, policy)
  }

  /** Retries an attempt of several requests by the policy of the driver. */
  retrying<T>(
    operation: string,
    attempt: () => Promise<T>,
    signal?: AbortSignal,
    policy?: Partial<RetryPolicy>,
  ): Promise<T> {
    return this.#http.retrying(operation, attempt, signal, policy)
  }

  /** Makes one attempt. Rejects with an `AttemptFailure`, or with an error that no retry can solve. */
  async sendOnce<T>(call: S3Call<T>, signal?: AbortSignal): Promise<HttpResponse<T>> {
    let keys = await this.#credentials.get(signal)
    let isResigned = false
    for (let renewals = 0; ;) {
      let refusal: S3Refusal | undefined
      let refused: ResponseHead | undefined
      try {
        return await this.#sendWith(call, keys, signal, (seen, head) => {
          refusal = seen
          refused = head
        })
      } catch (failure) {
        if (!(failure instanceof AttemptFailure) || !refusal || !refused) throw failure
        // A response to HEAD has no code.
        const isMute = refusal.code === undefined && [400, 403].includes(refused.status)
        const minSkewMs = isMute ? 240_000 : 5000
        if ((isMute || isSkewed(refusal)) && !isResigned && this.#setClock(refused, minSkewMs)) {
          isResigned = true
          continue
        }
        const fresh =
          (isMute || isRefusedKey(refusal)) && renewals === 0
            ? await this.#credentials.replace(keys)
            : undefined
        if (!fresh) throw failure
        keys = fresh
        renewals += 1
      }
    }
  }

  /** Takes the store's time; false if the response does not have it, or if the clocks agree. */
  #setClock(head: ResponseHead, minSkewMs: number): boolean {
    const date = head.headers['date']
    const time = typeof date === 'string' ? Date.parse(date) : NaN
    const offsetMs = time - Date.now()
    if (!Number.isFinite(offsetMs) || Math.abs(offsetMs - this.#clockOffsetMs) < minSkewMs) return false
    this.#clockOffsetMs = offsetMs
    return true
  }

  async #sendWith<T>(
    call: S3Call<T>,
    credentials: S3Credentials,
    signal: AbortSignal | undefined,
    onRefused: (refusal: S3Refusal, head: ResponseHead) => void,
  ): Promise<HttpResponse<T>> {
    const { region } = this.endpoint
    const { origin, path } = this.#addressOf(call)
    const query = call.query ? `?${queryOf(call.query)}` : ''
    const body = call.body ?? (call.signedBody && bodyOf(call.signedBody))
    const headers = await signedHeaders(
      {
        method: call.method,
        url: origin + path + query,
        headers: call.headers ?? {},
        ...(call.signedBody ? { signedBody: call.signedBody } : {}),
        hasUnsignedBody: call.body !== undefined,
      },
      { credentials, region, clockOffsetMs: this.#clockOffsetMs, keys: this.#keys },
    )
    const request: HttpRequest = {
      method: call.method,
      origin,
      path: path + query,
      headers,
      ...(body ? { body } : {}),
      ...(call.isPaced === undefined ? {} : { isPaced: call.isPaced }),
    }
    const refusal = (status: number, text: string, head: ResponseHead): Refusal | undefined => {
      const seen = refusalOf(text, head)
      onRefused(seen, head)
      return call.refusal?.(status, text, head) ?? meaningOf(status, seen, call.what, region)
    }
    return this.#http.sendOnce(request, { ...call, refusal, secrets: this.#credentials.secrets }, signal)
  }

  #addressOf({ bucket, keyPath = '' }: Pick<S3Call<unknown>, 'bucket' | 'keyPath'>): {
    origin: string
    path: string
  } {
    const { url, pathStyle } = this.endpoint
    const base = url.pathname.replace(/\/+$/, '')
    if (bucket === undefined) return { origin: url.origin, path: `${base}/` }
    if (pathStyle) return { origin: url.origin, path: `${base}/${bucket}${keyPath}` }
    checkBucketHost(bucket, url.hostname)
    return { origin: `${url.protocol}//${bucket}.${url.host}`, path: `${base}${keyPath || '/'}` }
  }
}

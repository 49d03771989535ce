import { BackupError, isBackupError, type ReplayableBody } from '@stowage/backup-core'
import type { TokenKeeper } from '../auth/token-keeper.js'
import type { SwiftAccess } from '../auth/credentials.js'
import {
  AttemptFailure,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type Refusal,
  type RetryPolicy,
  type Sending,
} from '@stowage/http'

/** A request to an account. */
export interface SwiftCall<T> extends Sending<T> {
  readonly method: HttpRequest['method']
  /** The path below the account, encoded: empty, or from a slash on. */
  readonly path: string
  /** What comes after the question mark, encoded. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: ReplayableBody
  /** The server processes the request during its response, and sends spaces meanwhile. */
  readonly isPaced?: boolean
  /** A path below the server's root, instead of below the account. Sent without a token. */
  readonly serverPath?: (accountPath: string) => string
}

/** Sends requests to the account with a valid token, and renews the token once if Swift refuses it. */
export class SwiftTransport {
  readonly #http: HttpClient
  readonly #tokens: TokenKeeper
  readonly #serviceTokens: TokenKeeper | undefined

  /** @param serviceTokens - for `X-Service-Token`; undefined to send none */
  constructor(http: HttpClient, tokens: TokenKeeper, serviceTokens?: TokenKeeper) {
    this.#http = http
    this.#tokens = tokens
    this.#serviceTokens = serviceTokens
  }

  /** Signs in, unless that was done. */
  async signIn(signal?: AbortSignal): Promise<SwiftAccess> {
    return this.#tokens.get(signal)
  }

  /** Ends all connections, requests and sign-ins. */
  async close(): Promise<void> {
    this.#tokens.close()
    this.#serviceTokens?.close()
    await this.#http.close()
  }

  /** Sends a request until it succeeds or fails permanently. A function is called for each attempt. */
  async send<T>(
    call: SwiftCall<T> | (() => SwiftCall<T>),
    signal?: AbortSignal,
    policy?: Partial<RetryPolicy>,
  ): Promise<HttpResponse<T>> {
    const next = typeof call === 'function' ? call : () => call
    return this.retrying(next().what, () => this.sendOnce(next(), signal), signal, policy)
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

  /** Makes one attempt, and another with a new token if Swift refuses the token. Rejects with an `AttemptFailure`. */
  async sendOnce<T>(call: SwiftCall<T>, signal?: AbortSignal): Promise<HttpResponse<T>> {
    const access = await this.#tokens.get(signal)
    const service = await this.#serviceTokens?.get(signal)
    try {
      return await this.#sendWith(call, access, service, signal)
    } catch (failure) {
      if (!isRefusedToken(failure)) throw failure
    }
    // Swift does not report which of two tokens it refused.
    const fresh = await this.#tokens.replace(access, signal)
    const freshService = service && (await this.#serviceTokens?.replace(service, signal))
    try {
      return await this.#sendWith(call, fresh, freshService, signal)
    } catch (failure) {
      if (!isRefusedToken(failure)) throw failure
      const { error } = failure
      throw new BackupError(
        'AUTH_FAILED',
        `Swift refused a new token. ${error.message} Check that this Swift uses that Keystone.`,
        { ...error.details, cause: error },
      )
    }
  }

  #sendWith<T>(
    call: SwiftCall<T>,
    access: SwiftAccess,
    service: SwiftAccess | undefined,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse<T>> {
    const { origin, path } = accountAddress(access.storageUrl)
    const query = call.query === undefined || call.query === '' ? '' : `?${call.query}`
    const request: HttpRequest = {
      method: call.method,
      origin,
      path: (call.serverPath ? call.serverPath(path) : path + call.path) + query,
      headers: {
        ...(call.serverPath ? {} : { 'x-auth-token': access.token }),
        ...(service && !call.serverPath ? { 'x-service-token': service.token } : {}),
        ...call.headers,
      },
      ...(call.body ? { body: call.body } : {}),
      ...(call.isPaced === undefined ? {} : { isPaced: call.isPaced }),
    }
    const secrets = [access.token, service?.token ?? '']
    const refusal: SwiftCall<T>['refusal'] = (status, text, head) =>
      call.refusal?.(status, text, head) ?? (status === 403 ? forbidden(call.what) : undefined)
    return this.#http.sendOnce(request, { ...call, secrets, refusal }, signal)
  }
}

function forbidden(what: string): Refusal {
  return {
    code: 'FORBIDDEN',
    message: `${what} failed: this user may not do it. Check that it has a role in this project, and that the endpoint belongs to this project.`,
  }
}

function isRefusedToken(failure: unknown): failure is AttemptFailure {
  return (
    failure instanceof AttemptFailure && isBackupError(failure.error) && failure.error.details.status === 401
  )
}

function accountAddress(storageUrl: string): { origin: string; path: string } {
  // Split instead of parsed: the path is sent as it is in the catalog.
  const match = /^(https?:\/\/[^/?#@\s]+)(\/[^?#\s]*)?$/i.exec(storageUrl)
  if (!match?.[1] || !URL.canParse(match[1])) {
    throw new BackupError(
      'CATALOG_INVALID',
      'The URL of the account is not a valid http or https URL: check the endpoint.',
    )
  }
  return { origin: new URL(match[1]).origin, path: (match[2] ?? '').replace(/\/+$/, '') }
}

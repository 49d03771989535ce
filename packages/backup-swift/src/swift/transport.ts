import { BackupError, isBackupError, type ReplayableBody } from '@stowage/backup-core'
import type { TokenKeeper } from '../auth/token-keeper.js'
import type { SwiftAccess } from '../auth/credentials.js'
import { AttemptFailure, type RetryPolicy } from '../http/retry.js'
import type { HttpAnswer, HttpRequest } from '../http/exchange.js'
import type { HttpClient, Sending } from '../http/client.js'

/** A request to an account. */
export interface SwiftCall<T> extends Sending<T> {
  readonly method: HttpRequest['method']
  /** The path below the account, encoded: empty, or from a slash on. */
  readonly path: string
  /** What comes after the question mark, encoded. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: ReplayableBody
  /** The server works while it answers, and sends a space now and then. */
  readonly isPaced?: boolean
  /** A path below the server's root, instead of below the account. Sent without a token. */
  readonly serverPath?: (accountPath: string) => string
}

/** Sends requests to the account with a token that is good, and gets another once Swift refuses it. */
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

  /** Sends a request, made anew for each attempt where it is a function, until it succeeds or fails for good. */
  async send<T>(
    call: SwiftCall<T> | (() => SwiftCall<T>),
    signal?: AbortSignal,
    policy?: Partial<RetryPolicy>,
  ): Promise<HttpAnswer<T>> {
    const next = typeof call === 'function' ? call : () => call
    return this.retrying(next().what, () => this.sendOnce(next(), signal), signal, policy)
  }

  /** Repeats an attempt that is more than one request, as the driver's policy says. */
  retrying<T>(
    operation: string,
    attempt: () => Promise<T>,
    signal?: AbortSignal,
    policy?: Partial<RetryPolicy>,
  ): Promise<T> {
    return this.#http.retrying(operation, attempt, signal, policy)
  }

  /** One attempt, and another one with a new token where Swift refuses the token. Rejects with an `AttemptFailure`. */
  async sendOnce<T>(call: SwiftCall<T>, signal?: AbortSignal): Promise<HttpAnswer<T>> {
    const access = await this.#tokens.get(signal)
    const service = await this.#serviceTokens?.get(signal)
    try {
      return await this.#sendWith(call, access, service, signal)
    } catch (failure) {
      if (!isRefusedToken(failure)) throw failure
    }
    // Swift does not say which of two tokens it refuses.
    const fresh = await this.#tokens.replace(access, signal)
    const freshService = service && (await this.#serviceTokens?.replace(service, signal))
    try {
      return await this.#sendWith(call, fresh, freshService, signal)
    } catch (failure) {
      if (!isRefusedToken(failure)) throw failure
      const { error } = failure
      throw new BackupError(
        'AUTH_FAILED',
        `Swift refuses a token that was got a moment ago. ${error.message} Is this the Swift of that Keystone?`,
        { ...error.details, cause: error },
      )
    }
  }

  #sendWith<T>(
    call: SwiftCall<T>,
    access: SwiftAccess,
    service: SwiftAccess | undefined,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer<T>> {
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
    return this.#http.sendOnce(request, { ...call, secrets }, signal)
  }
}

function isRefusedToken(failure: unknown): failure is AttemptFailure {
  return (
    failure instanceof AttemptFailure && isBackupError(failure.error) && failure.error.details.status === 401
  )
}

function accountAddress(storageUrl: string): { origin: string; path: string } {
  // Split and not parsed again: the path goes out as the catalog has it.
  const match = /^(https?:\/\/[^/?#@\s]+)(\/[^?#\s]*)?$/i.exec(storageUrl)
  if (!match?.[1]) {
    throw new BackupError('CATALOG_INVALID', 'The account’s URL is no http or https URL: check the endpoint.')
  }
  return { origin: match[1], path: (match[2] ?? '').replace(/\/+$/, '') }
}

import type { RetryListener } from '@stowage/backup-core'
import type { ConnectionPool } from './connection-pool.js'
import type { HttpTimeouts } from './exchange-watch.js'
import type { HttpAnswer, HttpRequest } from './exchange.js'
import type { RetryPolicy } from './retry.js'
import { retrying } from './retry.js'
import type { Sending } from './send-once.js'
import { sendOnce } from './send-once.js'

/** What an {@link HttpClient} is made of. */
export interface HttpClientOptions {
  readonly pool: ConnectionPool
  readonly timeouts: HttpTimeouts
  readonly retry: RetryPolicy
  readonly onRetry?: RetryListener
  /** Never quoted from what a server says, whichever server it is. */
  readonly secrets?: readonly string[]
}

/** Requests with time-outs and retries over one pool of connections. Knows neither tokens nor Swift. */
export class HttpClient {
  readonly #options: HttpClientOptions

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  /** One attempt. */
  sendOnce<T>(request: HttpRequest, sending: Sending<T>, signal?: AbortSignal): Promise<HttpAnswer<T>> {
    const { pool, timeouts, secrets = [] } = this.#options
    const masking = { ...sending, secrets: [...secrets, ...(sending.secrets ?? [])] }
    return sendOnce(pool.routeTo(request.origin), request, masking, timeouts, signal)
  }

  /** Repeats `attempt` of `operation` by the policy, or by `policy` where the request has its own. */
  retrying<T>(
    operation: string,
    attempt: (retry: number) => Promise<T>,
    signal?: AbortSignal,
    policy: Partial<RetryPolicy> = {},
  ): Promise<T> {
    const { retry, onRetry } = this.#options
    return retrying({ ...retry, ...policy }, signal, attempt, onRetry && { operation, onRetry })
  }

  /** A request, repeated where that may help. */
  send<T>(request: HttpRequest, sending: Sending<T>, signal?: AbortSignal): Promise<HttpAnswer<T>> {
    return this.retrying(sending.what, () => this.sendOnce(request, sending, signal), signal)
  }

  /** Ends every connection, and every request that is still under way. */
  async close(): Promise<void> {
    await this.#options.pool.destroy()
  }
}

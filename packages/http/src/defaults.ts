import type { ConnectionOptions } from './connection-pool.js'
import type { HttpTimeouts } from './exchange-watch.js'
import type { RetryPolicy } from './retry.js'

/** The time limits of a client that sets none. */
export const DEFAULT_TIMEOUTS: HttpTimeouts = {
  connectMs: 10_000,
  headersMs: 90_000,
  bodyMs: 60_000,
  minBytesPerSecond: 1024,
  windowMs: 60_000,
  exchangeMs: 600_000,
}

/** How a client retries that says nothing about it. */
export const DEFAULT_RETRY: RetryPolicy = {
  retries: 10,
  backoffMs: 1000,
  maxBackoffMs: 64_000,
  deadlineMs: 900_000,
}

/** The system's authorities, and the proxies of the environment. */
export function withConnectionDefaults(
  options: Partial<ConnectionOptions>,
  connectTimeoutMs: number,
): ConnectionOptions {
  return { insecure: false, connectTimeoutMs, env: process.env, ...options }
}

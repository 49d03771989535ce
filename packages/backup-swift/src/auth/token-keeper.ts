import { abortedError, BackupError, isBackupError, throwIfAborted } from '@stowage/backup-core'
import type { SwiftAccess, TokenProvider } from './credentials.js'

/** A token is renewed when this fraction of its life is left. */
const marginShare = 0.25
/** The maximum time before its end at which a token is renewed. */
const maxMarginMs = 120_000

interface Renewal {
  readonly promise: Promise<SwiftAccess>
  readonly controller: AbortController
  waiting: number
}

/**
 * Keeps one token for all requests of a driver. Renews it before it expires, and after Swift refused it: in one renewal, for
 * which all requests wait. A renewal is aborted when no request waits for it any more.
 */
export class TokenKeeper {
  readonly #provider: TokenProvider
  #access: SwiftAccess | undefined
  #renewAtMs = Infinity
  #renewal: Renewal | undefined
  #closed = false

  constructor(provider: TokenProvider) {
    this.#provider = provider
  }

  /** Returns a token that is valid for some time. */
  async get(signal?: AbortSignal): Promise<SwiftAccess> {
    throwIfAborted(signal, 'Signing in')
    const access = this.#access
    if (!access) return this.#renewed(undefined, signal)
    if (Date.now() < this.#renewAtMs) return access
    try {
      return await this.#renewed(access, signal)
    } catch (error) {
      const isValid = access.expiresAt === null || access.expiresAt.getTime() > Date.now()
      // Keystone may be unavailable, and a caller's token may not be renewable: a valid token remains in use.
      if (!isValid || isBackupError(error, 'ABORTED') || isBackupError(error, 'CLOSED')) throw error
      // No other renewal before it expires: many failed sign-ins lock an account.
      this.#renewAtMs = access.expiresAt?.getTime() ?? Infinity
      return access
    }
  }

  /** Returns another token than the refused one. */
  async replace(refused: SwiftAccess, signal?: AbortSignal): Promise<SwiftAccess> {
    const access = this.#access
    if (access && access.token !== refused.token) return access
    return this.#renewed(refused, signal)
  }

  /** Aborts a pending renewal. */
  close(): void {
    this.#closed = true
    this.#renewal?.controller.abort()
  }

  async #renewed(previous: SwiftAccess | undefined, signal: AbortSignal | undefined): Promise<SwiftAccess> {
    if (this.#closed) throw new BackupError('CLOSED', 'The driver is closed.')
    const renewal = (this.#renewal ??= this.#begin(previous))
    renewal.waiting += 1
    try {
      return await abandonOnAbort(renewal.promise, signal)
    } finally {
      renewal.waiting -= 1
      if (renewal.waiting === 0 && this.#renewal === renewal) {
        // No request may join a renewal that is being aborted.
        this.#renewal = undefined
        renewal.controller.abort()
        await renewal.promise.catch(() => undefined)
      }
    }
  }

  #begin(previous: SwiftAccess | undefined): Renewal {
    const controller = new AbortController()
    const run = async (): Promise<SwiftAccess> => {
      try {
        const access = await this.#provider.authenticate({
          signal: controller.signal,
          ...(previous ? { previous } : {}),
        })
        this.#keep(access)
        return access
      } finally {
        if (this.#renewal === renewal) this.#renewal = undefined
      }
    }
    // Begins asynchronously: a provider may fail synchronously, when `renewal` must be set.
    const renewal: Renewal = { promise: Promise.resolve().then(run), controller, waiting: 0 }
    return renewal
  }

  #keep(access: SwiftAccess): void {
    this.#access = access
    const leftMs = access.expiresAt === null ? Infinity : access.expiresAt.getTime() - Date.now()
    this.#renewAtMs = Date.now() + leftMs - Math.min(maxMarginMs, Math.max(0, leftMs) * marginShare)
  }
}

async function abandonOnAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(abortedError(signal, 'Signing in'))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort)
  }
}

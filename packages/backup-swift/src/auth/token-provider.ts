/** A token, and the account it opens. */
export interface SwiftAccess {
  readonly token: string
  /** The account's URL: `https://swift.example/v1/AUTH_…`, without a slash at its end. */
  readonly storageUrl: string
  /** When the token ends, by this machine's clock; null when that is not known. */
  readonly expiresAt: Date | null
}

/** Options of {@link TokenProvider.authenticate}. */
export interface AuthenticateOptions {
  /** Ends the sign-in with `ABORTED`. */
  readonly signal?: AbortSignal
  /** What Swift no longer accepts, or what is about to expire. Undefined the first time. */
  readonly previous?: SwiftAccess
}

/**
 * A way of signing in. Called for the first request, ahead of each expiry, and after Swift answered 401; never twice
 * at once by one driver. Rejects with `AUTH_FAILED` where the credentials are refused and with `AUTH_EXPIRED` where
 * there is no way to get another token.
 */
export interface TokenProvider {
  authenticate(options: AuthenticateOptions): Promise<SwiftAccess>
}

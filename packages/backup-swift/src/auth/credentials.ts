/** Auth version 1: TempAuth, swauth, and Ceph's gateway. */
export interface V1Credentials {
  readonly method: 'v1'
  /** `https://swift.example/auth/v1.0` */
  readonly authUrl: string
  /** `account:user` */
  readonly user: string
  readonly key: string
}

/** Keystone v2.0 with a password or with a token. */
export interface KeystoneV2Credentials {
  readonly method: 'keystone-v2'
  /** With or without `/v2.0` at its end. */
  readonly authUrl: string
  readonly username?: string
  readonly password?: string
  readonly token?: string
  readonly tenantName?: string
  readonly tenantId?: string
}

/** A domain, by id or by name. */
export interface DomainReference {
  readonly id?: string
  readonly name?: string
}

/** The scope of a Keystone v3 token: at most one of these. */
export interface KeystoneScope {
  readonly project?: {
    readonly id?: string
    readonly name?: string
    /** Required with a name. */
    readonly domain?: DomainReference
  }
  readonly domain?: DomainReference
  readonly trustId?: string
}

/** Keystone v3 with a password. */
export interface PasswordCredentials {
  readonly method: 'password'
  /** With or without `/v3` at its end. */
  readonly authUrl: string
  readonly userId?: string
  readonly username?: string
  /** Required with a user name. */
  readonly userDomain?: DomainReference
  readonly password: string
  readonly scope: KeystoneScope
}

/** Keystone v3 with a token, for another scope. The expiry stays that of the token. */
export interface TokenCredentials {
  readonly method: 'token'
  readonly authUrl: string
  readonly token: string
  readonly scope: KeystoneScope
}

/** Keystone v3 with an application credential, which contains its project. */
export interface ApplicationCredentials {
  readonly method: 'application-credential'
  readonly authUrl: string
  readonly id?: string
  /** Requires a user. */
  readonly name?: string
  readonly userId?: string
  readonly username?: string
  readonly userDomain?: DomainReference
  readonly secret: string
}

/** The caller's account: what Cinder's driver takes from the context of its request. */
export interface SwiftContext {
  readonly authToken: string
  /** The id to append to `backupSwiftUrl`. */
  readonly projectId?: string
  /** The caller's catalog, in the form of Keystone v2 or v3. */
  readonly serviceCatalog?: unknown
  /** When the token expires. @default unknown: it is renewed after a 401 of Swift */
  readonly expiresAt?: Date
  /** Returns a new token of the same user. @default none: the job ends with `AUTH_EXPIRED` when the token expires */
  readonly renewToken?: (options: { readonly signal?: AbortSignal }) => Promise<RenewedToken>
}

/** A token that the caller has, and its account. */
export interface GivenToken extends Omit<SwiftContext, 'authToken'> {
  readonly method: 'given-token'
  readonly token: string
}

/** A new token, with its expiry if it is known. */
export type RenewedToken = string | { readonly token: string; readonly expiresAt?: Date }

/** All built-in ways to sign in. */
export type SwiftCredentials =
  | V1Credentials
  | KeystoneV2Credentials
  | PasswordCredentials
  | TokenCredentials
  | ApplicationCredentials
  | GivenToken

/** A token, and its account. */
export interface SwiftAccess {
  readonly token: string
  /** The URL of the account: `https://swift.example/v1/AUTH_…`, without a slash at its end. */
  readonly storageUrl: string
  /** When the token expires, by the local clock; null if unknown. */
  readonly expiresAt: Date | null
}

/** Options of {@link TokenProvider.authenticate}. */
export interface AuthenticateOptions {
  /** Ends the sign-in with `ABORTED`. */
  readonly signal?: AbortSignal
  /** The token that Swift no longer accepts, or that is about to expire. Undefined for the first sign-in. */
  readonly previous?: SwiftAccess
}

/**
 * A way to sign in. Called for the first request, before each expiry, and after a 401 of Swift; never concurrently by one
 * driver. Rejects with `AUTH_FAILED` if the credentials are refused, and with `AUTH_EXPIRED` if the token cannot be renewed.
 */
export interface TokenProvider {
  authenticate(options: AuthenticateOptions): Promise<SwiftAccess>
}

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

/** What a Keystone v3 token is for: one of these, or nothing. */
export interface KeystoneScope {
  readonly project?: {
    readonly id?: string
    readonly name?: string
    /** Needed with a name. */
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
  /** Needed with a user name. */
  readonly userDomain?: DomainReference
  readonly password: string
  readonly scope: KeystoneScope
}

/** Keystone v3 with a token, for one of another scope. Its expiry stays that of the first. */
export interface TokenCredentials {
  readonly method: 'token'
  readonly authUrl: string
  readonly token: string
  readonly scope: KeystoneScope
}

/** Keystone v3 with an application credential, which has its project in it. */
export interface ApplicationCredentials {
  readonly method: 'application-credential'
  readonly authUrl: string
  readonly id?: string
  /** With a name, its user is needed too. */
  readonly name?: string
  readonly userId?: string
  readonly username?: string
  readonly userDomain?: DomainReference
  readonly secret: string
}

/** A token that somebody else got, and the account it is for. */
export interface GivenToken {
  readonly method: 'given-token'
  readonly token: string
  /** Where the account's URL is to be found: in the catalog, or by adding this id to backupSwiftUrl. */
  readonly projectId?: string
  /** The catalog that came with the token. */
  readonly serviceCatalog?: unknown
  /** When the token ends. @default not known: Swift's 401 will say so */
  readonly expiresAt?: Date
  /** Gets another token. @default none: the job ends with `AUTH_EXPIRED` when the token does */
  readonly renewToken?: (options: { readonly signal?: AbortSignal }) => Promise<RenewedToken>
}

/** A fresh token; whoever knows its end says it too. */
export type RenewedToken = string | { readonly token: string; readonly expiresAt?: Date }

/** Every way of signing in that is built in. */
export type SwiftCredentials =
  | V1Credentials
  | KeystoneV2Credentials
  | PasswordCredentials
  | TokenCredentials
  | ApplicationCredentials
  | GivenToken

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

import type { HttpClient } from '../http/client.js'
import type {
  AuthenticateOptions,
  GivenToken,
  SwiftAccess,
  SwiftCredentials,
  TokenProvider,
  V1Credentials,
} from './credentials.js'
import { KeystoneV2TokenProvider } from './keystone-v2.js'
import { KeystoneV3TokenProvider } from './keystone-v3.js'
import { storageUrlOf, type StorageEndpoint } from './catalog.js'
import { BackupError } from '@stowage/backup-core'
import { discard } from '../http/bodies.js'
import { headerOf } from '../http/exchange.js'
import { addressOf } from './keystone.js'

/** The provider for credentials of any kind. */
export function makeTokenProvider(
  credentials: SwiftCredentials,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenProvider {
  switch (credentials.method) {
    case 'v1':
      return new V1TokenProvider(credentials, http, endpoint.storageUrl)
    case 'keystone-v2':
      return new KeystoneV2TokenProvider(credentials, http, endpoint)
    case 'password':
    case 'token':
    case 'application-credential':
      return new KeystoneV3TokenProvider(credentials, http, endpoint)
    case 'given-token':
      return new GivenTokenProvider(credentials, endpoint)
  }
}

/** `per_user`: the caller's own token and catalog, and the caller's way to another token. */
export class GivenTokenProvider implements TokenProvider {
  readonly #given: GivenToken
  readonly #endpoint: StorageEndpoint

  constructor(given: GivenToken, endpoint: StorageEndpoint) {
    this.#given = given
    this.#endpoint = endpoint
  }

  async authenticate({ signal, previous }: AuthenticateOptions): Promise<SwiftAccess> {
    const given = this.#given
    const storageUrl = storageUrlOf(this.#endpoint, {
      projectId: given.projectId,
      catalog: given.serviceCatalog,
    })
    if (!previous) return { token: given.token, storageUrl, expiresAt: given.expiresAt ?? null }
    if (!given.renewToken) {
      throw new BackupError(
        'AUTH_EXPIRED',
        'The token that was given has expired or is not accepted, and nothing was given that gets another: pass ' +
          'context.renewToken, or sign in with credentials of your own (single_user).',
      )
    }
    const renewed = await given.renewToken(signal ? { signal } : {})
    const { token, expiresAt } =
      typeof renewed === 'string' ? { token: renewed, expiresAt: undefined } : renewed
    if (typeof token !== 'string' || token === '') {
      throw new BackupError('AUTH_EXPIRED', 'context.renewToken gave no token.')
    }
    return { token, storageUrl, expiresAt: expiresAt ?? null }
  }
}

/** Auth version 1: one GET with the user and the key in headers. */
export class V1TokenProvider implements TokenProvider {
  readonly #credentials: V1Credentials
  readonly #http: HttpClient
  readonly #storageUrl: string | undefined

  /** `storageUrl` replaces the one that the server names. */
  constructor(credentials: V1Credentials, http: HttpClient, storageUrl?: string) {
    this.#credentials = credentials
    this.#http = http
    this.#storageUrl = storageUrl
  }

  async authenticate({ signal, previous }: AuthenticateOptions): Promise<SwiftAccess> {
    const { authUrl, user, key } = this.#credentials
    const address = addressOf(authUrl, 'backupSwiftAuthUrl (ST_AUTH)')
    const askedAtMs = Date.now()
    const { head } = await this.#http.send(
      {
        method: 'GET',
        ...address,
        headers: {
          'x-auth-user': user,
          'x-auth-key': key,
          // TempAuth gives the same token again, also one that Swift's cache has lost.
          ...(previous ? { 'x-auth-new-token': 'true' } : {}),
        },
      },
      {
        what: 'Signing in (auth version 1)',
        accept: (status) => status === 200 || status === 204,
        sink: discard,
        secrets: [key],
        refusal: (status) =>
          status === 401 || status === 403
            ? new BackupError(
                'AUTH_FAILED',
                'The user or the key is wrong (ST_USER, ST_KEY; user is account:user).',
              )
            : undefined,
      },
      signal,
    )
    const token = headerOf(head, 'x-auth-token') ?? headerOf(head, 'x-storage-token')
    const storageUrl = this.#storageUrl ?? headerOf(head, 'x-storage-url')
    if (token === undefined || token === '' || storageUrl === undefined || storageUrl === '') {
      throw new BackupError(
        'AUTH_FAILED',
        'The server answered the sign-in without X-Auth-Token and X-Storage-Url: is the auth URL that of auth ' +
          'version 1 (…/auth/v1.0)?',
      )
    }
    const secondsLeft = Number(headerOf(head, 'x-auth-token-expires') ?? NaN)
    return {
      token,
      storageUrl: storageUrl.replace(/\/+$/, ''),
      expiresAt: Number.isFinite(secondsLeft) ? new Date(askedAtMs + secondsLeft * 1000) : null,
    }
  }
}

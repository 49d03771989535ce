import { BackupError } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import type { HttpClient } from '../http/http-client.js'
import { headerOf } from '../http/response.js'
import { addressOf } from './auth-url.js'
import type { V1Credentials } from './credentials.js'
import type { AuthenticateOptions, SwiftAccess, TokenProvider } from './token-provider.js'

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

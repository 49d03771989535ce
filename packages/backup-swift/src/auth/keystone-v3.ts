import { BackupError } from '@stowage/backup-core'
import { collect } from '../http/body-sinks.js'
import type { HttpClient } from '../http/http-client.js'
import { bodyOf } from '../http/request-body.js'
import { headerOf } from '../http/response.js'
import { keystoneAddress } from './auth-url.js'
import type { KeystoneV3Credentials } from './keystone-v3-request.js'
import { keystoneV3Request } from './keystone-v3-request.js'
import type { StorageEndpoint } from './storage-endpoint.js'
import { storageUrlOf } from './storage-endpoint.js'
import { jsonObject, localExpiry, recordOf } from './token-answer.js'
import type { AuthenticateOptions, SwiftAccess, TokenProvider } from './token-provider.js'

const maxAnswerBytes = 4 * 1024 * 1024

/** Keystone v3: password, token or application credential. */
export class KeystoneV3TokenProvider implements TokenProvider {
  readonly #credentials: KeystoneV3Credentials
  readonly #http: HttpClient
  readonly #endpoint: StorageEndpoint

  /** @throws `OPTION_INVALID` where the credentials are not whole. */
  constructor(credentials: KeystoneV3Credentials, http: HttpClient, endpoint: StorageEndpoint) {
    keystoneV3Request(credentials)
    keystoneAddress(credentials.authUrl, 'v3')
    this.#credentials = credentials
    this.#http = http
    this.#endpoint = endpoint
  }

  async authenticate({ signal, previous }: AuthenticateOptions): Promise<SwiftAccess> {
    const credentials = this.#credentials
    if (credentials.method === 'token' && previous) {
      // A token made from a token keeps the first one's end, so that another sign-in gains nothing.
      throw new BackupError(
        'AUTH_EXPIRED',
        'The token that was given has expired or is not accepted, and a token cannot be renewed by itself: sign in ' +
          'with a password or an application credential for jobs that outlive a token.',
      )
    }
    const { origin, path } = keystoneAddress(credentials.authUrl, 'v3')
    const askedAtMs = Date.now()
    const { head, value } = await this.#http.send(
      {
        method: 'POST',
        origin,
        path: `${path}/auth/tokens`,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: bodyOf(Buffer.from(JSON.stringify(keystoneV3Request(credentials)))),
        // Keystone under uWSGI closes after each answer without saying so.
        closeConnection: true,
      },
      {
        what: 'Signing in (Keystone v3)',
        accept: (status) => status === 201 || status === 200,
        sink: () => collect(maxAnswerBytes),
        secrets: [secretOf(credentials)],
        refusal: (status) => refusal(status, credentials),
      },
      signal,
    )
    const token = headerOf(head, 'x-subject-token')
    if (token === undefined || token === '') {
      throw new BackupError(
        'AUTH_FAILED',
        'Keystone answered without X-Subject-Token: is the auth URL right?',
      )
    }
    const issued = recordOf(jsonObject(value, 'The answer to the sign-in')['token'], 'token')
    const project = issued['project']
    const projectId = project === undefined ? undefined : recordOf(project, 'project')['id']
    return {
      token,
      storageUrl: storageUrlOf(this.#endpoint, {
        projectId: typeof projectId === 'string' ? projectId : undefined,
        catalog: issued['catalog'],
      }),
      expiresAt: localExpiry(issued['issued_at'], issued['expires_at'], askedAtMs),
    }
  }
}

function secretOf(credentials: KeystoneV3Credentials): string {
  switch (credentials.method) {
    case 'password':
      return credentials.password
    case 'token':
      return credentials.token
    case 'application-credential':
      return credentials.secret
  }
}

function refusal(status: number, { method }: KeystoneV3Credentials): BackupError | undefined {
  if (status === 404) {
    return new BackupError('AUTH_FAILED', 'There is no Keystone v3 at this address: check the auth URL.')
  }
  if (status === 400) {
    return new BackupError(
      'AUTH_FAILED',
      'Keystone finds the sign-in incomplete: check names, domains and ids.',
    )
  }
  if (status !== 401 && status !== 403) return undefined
  const which = {
    password: 'the user or its domain, the password, the project or its domain, or the user’s role in it',
    token: 'the token, the project or its domain, or the user’s role in it',
    'application-credential':
      'the application credential’s id, name or user, its secret, or whether it has expired',
  }
  return new BackupError(
    'AUTH_FAILED',
    `Signing in (Keystone v3) failed: Keystone does not say which is wrong, ${which[method]}.`,
  )
}

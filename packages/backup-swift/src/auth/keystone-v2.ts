import { BackupError } from '@stowage/backup-core'
import { bodyOf, collect } from '../http/bodies.js'
import type { HttpClient } from '../http/client.js'
import { jsonObject, keystoneAddress, localExpiry, recordOf } from './keystone.js'
import type { AuthenticateOptions, KeystoneV2Credentials, SwiftAccess, TokenProvider } from './credentials.js'
import { storageUrlOf, type StorageEndpoint } from './catalog.js'

const maxAnswerBytes = 4 * 1024 * 1024

/** Keystone v2.0, which Keystone itself dropped in 2017 and some clouds still speak. */
export class KeystoneV2TokenProvider implements TokenProvider {
  readonly #credentials: KeystoneV2Credentials
  readonly #http: HttpClient
  readonly #endpoint: StorageEndpoint

  constructor(credentials: KeystoneV2Credentials, http: HttpClient, endpoint: StorageEndpoint) {
    this.#credentials = credentials
    this.#http = http
    this.#endpoint = endpoint
  }

  async authenticate({ signal }: AuthenticateOptions): Promise<SwiftAccess> {
    const { authUrl, username, password, token, tenantName, tenantId } = this.#credentials
    const { origin, path } = keystoneAddress(authUrl, 'v2.0')
    const auth = {
      ...(token === undefined ? { passwordCredentials: { username, password } } : { token: { id: token } }),
      ...(tenantId === undefined ? { tenantName } : { tenantId }),
    }
    const askedAtMs = Date.now()
    const { value } = await this.#http.send(
      {
        method: 'POST',
        origin,
        path: `${path}/tokens`,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: bodyOf(Buffer.from(JSON.stringify({ auth }))),
        closeConnection: true,
      },
      {
        what: 'Signing in (Keystone v2.0)',
        accept: (status) => status === 200 || status === 203,
        sink: () => collect(maxAnswerBytes),
        secrets: [password ?? '', token ?? ''],
        refusal,
      },
      signal,
    )
    const access = recordOf(jsonObject(value, 'The answer to the sign-in')['access'], 'access')
    const issued = recordOf(access['token'], 'access.token')
    const id = issued['id']
    if (typeof id !== 'string' || id === '') throw new BackupError('AUTH_FAILED', 'Keystone gave no token.')
    const tenant = issued['tenant']
    const projectId = tenant === undefined || tenant === null ? undefined : recordOf(tenant, 'tenant')['id']
    return {
      token: id,
      storageUrl: storageUrlOf(this.#endpoint, {
        projectId: typeof projectId === 'string' ? projectId : undefined,
        catalog: access['serviceCatalog'],
      }),
      expiresAt: localExpiry(issued['issued_at'], issued['expires'], askedAtMs),
    }
  }
}

function refusal(status: number): BackupError | undefined {
  if (status === 401) {
    return new BackupError(
      'AUTH_FAILED',
      'Signing in (Keystone v2.0) failed: Keystone does not say which is wrong, the user, the password, the tenant, or the user’s role in it.',
    )
  }
  if (status === 404 || status === 410) {
    return new BackupError(
      'AUTH_FAILED',
      'There is no Keystone v2.0 at this address: use v3 (backup_swift_auth_version = 3, OS_IDENTITY_API_VERSION=3).',
    )
  }
  return undefined
}

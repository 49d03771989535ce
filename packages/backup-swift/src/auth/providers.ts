import { BackupError } from '@stowage/backup-core'
import { discard, headerOf, type HttpClient } from '@stowage/http'
import { storageUrlOf, type StorageEndpoint } from './catalog.js'
import type {
  GivenToken,
  KeystoneV2Credentials,
  SwiftCredentials,
  TokenProvider,
  V1Credentials,
} from './credentials.js'
import { addressOf, keystoneAddress, localExpiry, postToKeystone, recordOf } from './keystone.js'
import { keystoneV3 } from './keystone-v3.js'

/** Creates the provider for credentials of any method. */
export function makeTokenProvider(
  credentials: SwiftCredentials,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenProvider {
  switch (credentials.method) {
    case 'v1':
      return authV1(credentials, http, endpoint.storageUrl)
    case 'keystone-v2':
      return keystoneV2(credentials, http, endpoint)
    case 'password':
    case 'token':
    case 'application-credential':
      return keystoneV3(credentials, http, endpoint)
    case 'given-token':
      return givenToken(credentials, endpoint)
  }
}

/** Uses a token of the caller, and renews it with the caller's `renewToken`. */
function givenToken(given: GivenToken, endpoint: StorageEndpoint): TokenProvider {
  return {
    async authenticate({ signal, previous }) {
      const storageUrl = storageUrlOf(endpoint, { projectId: given.projectId, catalog: given.serviceCatalog })
      if (!previous) return { token: given.token, storageUrl, expiresAt: given.expiresAt ?? null }
      if (!given.renewToken) {
        throw new BackupError(
          'AUTH_EXPIRED',
          'The token has expired or is not accepted, and there is no way to renew it: pass context.renewToken, or sign in ' +
            'with credentials (single_user).',
        )
      }
      const renewed = await given.renewToken(signal ? { signal } : {})
      const { token, expiresAt = null } = typeof renewed === 'string' ? { token: renewed } : renewed
      if (typeof token !== 'string' || token === '') {
        throw new BackupError(
          'AUTH_EXPIRED',
          'Renewing the token failed: context.renewToken returned no token.',
        )
      }
      return { token, storageUrl, expiresAt }
    },
  }
}

/** Signs in with auth version 1: one GET with the user and the key in headers. */
function authV1(credentials: V1Credentials, http: HttpClient, givenUrl: string | undefined): TokenProvider {
  return {
    async authenticate({ signal, previous }) {
      const { authUrl, user, key } = credentials
      const sentAtMs = Date.now()
      const { head } = await http.send(
        {
          method: 'GET',
          ...addressOf(authUrl, 'backupSwiftAuthUrl (ST_AUTH)'),
          headers: {
            'x-auth-user': user,
            'x-auth-key': key,
            // TempAuth otherwise returns the same token, even one that the cache of Swift has lost.
            ...(previous ? { 'x-auth-new-token': 'true' } : {}),
          },
        },
        {
          what: 'Signing in (auth version 1)',
          accept: [200, 204],
          sink: discard,
          refusal: (status) =>
            status === 401 || status === 403
              ? {
                  code: 'AUTH_FAILED',
                  message:
                    'The user or the key is wrong (ST_USER, ST_KEY; the user has the form account:user).',
                }
              : undefined,
        },
        signal,
      )
      const token = headerOf(head, 'x-auth-token') ?? headerOf(head, 'x-storage-token')
      const storageUrl = givenUrl ?? headerOf(head, 'x-storage-url')
      if (!token || !storageUrl) {
        throw new BackupError(
          'AUTH_FAILED',
          'Signing in (auth version 1) failed: the response has no X-Auth-Token or no X-Storage-Url. Check that the auth URL ' +
            'is that of auth version 1 (…/auth/v1.0).',
        )
      }
      const secondsLeft = Number(headerOf(head, 'x-auth-token-expires') ?? NaN)
      return {
        token,
        storageUrl: storageUrl.replace(/\/+$/, ''),
        expiresAt: Number.isFinite(secondsLeft) ? new Date(sentAtMs + secondsLeft * 1000) : null,
      }
    },
  }
}

/** Signs in to Keystone v2.0, which Keystone removed in 2017 and some clouds still offer. */
function keystoneV2(
  credentials: KeystoneV2Credentials,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenProvider {
  return {
    async authenticate({ signal }) {
      const { authUrl, username, password, token, tenantName, tenantId } = credentials
      const { origin, path } = keystoneAddress(authUrl, 'v2.0')
      const auth = {
        ...(token === undefined ? { passwordCredentials: { username, password } } : { token: { id: token } }),
        ...(tenantId === undefined ? { tenantName } : { tenantId }),
      }
      const sending = { what: 'Signing in (Keystone v2.0)', accept: [200, 203], refusal: refusalOfV2 }
      const address = { origin, path: `${path}/tokens` }
      const { value, sentAtMs } = await postToKeystone(http, address, { auth }, sending, signal)
      const access = recordOf(value['access'], 'access')
      const issued = recordOf(access['token'], 'access.token')
      const { id, tenant } = issued
      if (typeof id !== 'string' || id === '') {
        throw new BackupError(
          'AUTH_FAILED',
          `${sending.what} failed: the response has no token. Check the auth URL.`,
        )
      }
      const projectId = tenant === undefined || tenant === null ? undefined : recordOf(tenant, 'tenant')['id']
      return {
        token: id,
        storageUrl: storageUrlOf(endpoint, { projectId, catalog: access['serviceCatalog'] }),
        expiresAt: localExpiry(issued['issued_at'], issued['expires'], sentAtMs),
      }
    },
  }
}

function refusalOfV2(status: number): BackupError | undefined {
  if (status === 401) {
    return new BackupError(
      'AUTH_FAILED',
      'Signing in (Keystone v2.0) failed: Keystone does not report which is wrong, the user, the password, the tenant, or the ' +
        'user’s role in it.',
    )
  }
  if (status !== 404 && status !== 410) return undefined
  return new BackupError(
    'AUTH_FAILED',
    'There is no Keystone v2.0 at this address: use v3 (backup_swift_auth_version = 3, OS_IDENTITY_API_VERSION=3).',
  )
}

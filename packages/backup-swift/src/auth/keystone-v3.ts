import { BackupError } from '@stowage/backup-core'
import { headerOf, type HttpClient } from '@stowage/http'
import { storageUrlOf, type StorageEndpoint } from './catalog.js'
import type {
  ApplicationCredentials,
  DomainReference,
  KeystoneScope,
  PasswordCredentials,
  TokenCredentials,
  TokenProvider,
} from './credentials.js'
import { keystoneAddress, localExpiry, postToKeystone, recordOf } from './keystone.js'

/**
 * Signs in to Keystone v3 with a password, a token or an application credential.
 *
 * @throws `OPTION_INVALID` if the credentials are incomplete
 */
export function keystoneV3(
  credentials: KeystoneV3Credentials,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenProvider {
  const body = keystoneV3Request(credentials)
  const { origin, path } = keystoneAddress(credentials.authUrl, 'v3')
  const address = { origin, path: `${path}/auth/tokens` }
  return {
    async authenticate({ signal, previous }) {
      if (credentials.method === 'token' && previous) {
        // A token that is derived from a token keeps its expiry, so another sign-in gains nothing.
        throw new BackupError(
          'AUTH_EXPIRED',
          'The token has expired or is not accepted, and a token cannot renew itself: sign in with a password or an ' +
            'application credential for jobs that outlive a token.',
        )
      }
      const sending = {
        what: 'Signing in (Keystone v3)',
        accept: [201, 200],
        refusal: (status: number) => refusal(status, credentials),
      }
      const { head, value, sentAtMs } = await postToKeystone(http, address, body, sending, signal)
      const token = headerOf(head, 'x-subject-token')
      if (!token) {
        throw new BackupError(
          'AUTH_FAILED',
          'Signing in (Keystone v3) failed: the response has no X-Subject-Token. Check the auth URL.',
        )
      }
      const issued = recordOf(value['token'], 'token')
      const { project, catalog } = issued
      const projectId = project === undefined ? undefined : recordOf(project, 'project')['id']
      return {
        token,
        storageUrl: storageUrlOf(endpoint, { projectId, catalog }),
        expiresAt: localExpiry(issued['issued_at'], issued['expires_at'], sentAtMs),
      }
    },
  }
}

function refusal(status: number, { method }: KeystoneV3Credentials): BackupError | undefined {
  if (status === 404) {
    return new BackupError('AUTH_FAILED', 'There is no Keystone v3 at this address: check the auth URL.')
  }
  if (status === 400) {
    return new BackupError(
      'AUTH_FAILED',
      'Keystone rejected the sign-in as incomplete: check names, domains and ids.',
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
    `Signing in (Keystone v3) failed: Keystone does not report which is wrong, ${which[method]}.`,
  )
}

/** The credentials of Keystone v3. */
export type KeystoneV3Credentials = PasswordCredentials | TokenCredentials | ApplicationCredentials

type Json = Readonly<Record<string, unknown>>

/**
 * The body of Keystone v3's sign-in. Missing fields are detected here, since Keystone's message for a user name
 * without a domain is 3 KB long.
 *
 * @throws `OPTION_INVALID`
 */
export function keystoneV3Request(credentials: KeystoneV3Credentials): Json {
  const scope = credentials.method === 'application-credential' ? undefined : scopeOf(credentials.scope)
  return { auth: { identity: identityOf(credentials), ...(scope ? { scope } : {}) } }
}

function identityOf(credentials: KeystoneV3Credentials): Json {
  switch (credentials.method) {
    case 'password': {
      const { userId, username, userDomain, password } = credentials
      const user = { ...userOf(userId, username, userDomain), password }
      return { methods: ['password'], password: { user } }
    }
    case 'token':
      return { methods: ['token'], token: { id: credentials.token } }
    case 'application-credential': {
      const { id, name, userId, username, userDomain, secret } = credentials
      if (id === undefined && name === undefined) {
        throw invalid('An application credential requires its id, or its name and its user.')
      }
      const named = id === undefined ? { name, user: userOf(userId, username, userDomain) } : { id }
      return { methods: ['application_credential'], application_credential: { ...named, secret } }
    }
  }
}

function userOf(id: string | undefined, name: string | undefined, domain: DomainReference | undefined): Json {
  if (id !== undefined) return { id }
  if (name === undefined)
    throw invalid('The user is missing: give its id, or its name and domain (OS_USERNAME).')
  return {
    name,
    domain: domainOf(domain, 'The user’s name', 'OS_USER_DOMAIN_NAME, backup_swift_user_domain'),
  }
}

function scopeOf({ project, domain, trustId }: KeystoneScope): Json | undefined {
  if ([project, domain, trustId].filter((part) => part !== undefined).length > 1) {
    throw invalid('A token has one scope: choose a project, a domain or a trust.')
  }
  if (trustId !== undefined) return { 'OS-TRUST:trust': { id: trustId } }
  if (domain) return { domain: domainOf(domain, 'The scope', 'OS_DOMAIN_NAME') }
  if (!project) return undefined
  if (project.id !== undefined) return { project: { id: project.id } }
  if (project.name === undefined) throw invalid('The project requires an id or a name (OS_PROJECT_NAME).')
  return {
    project: {
      name: project.name,
      domain: domainOf(
        project.domain,
        'The project’s name',
        'OS_PROJECT_DOMAIN_NAME, backup_swift_project_domain',
      ),
    },
  }
}

function domainOf(domain: DomainReference | undefined, whose: string, options: string): Json {
  if (domain?.id !== undefined) return { id: domain.id }
  if (domain?.name !== undefined) return { name: domain.name }
  throw invalid(`${whose} is ambiguous without its domain: set the domain (${options}).`)
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

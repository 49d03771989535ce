import { BackupError } from '@stowage/backup-core'
import { bodyOf, collect } from '../http/bodies.js'
import type { HttpClient } from '../http/client.js'
import { headerOf } from '../http/exchange.js'
import { jsonObject, keystoneAddress, localExpiry, recordOf } from './keystone.js'
import { storageUrlOf, type StorageEndpoint } from './catalog.js'
import type {
  ApplicationCredentials,
  AuthenticateOptions,
  DomainReference,
  KeystoneScope,
  PasswordCredentials,
  SwiftAccess,
  TokenCredentials,
  TokenProvider,
} from './credentials.js'

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

/** The three ways into Keystone v3. */
export type KeystoneV3Credentials = PasswordCredentials | TokenCredentials | ApplicationCredentials

type Json = Readonly<Record<string, unknown>>

/**
 * The body of Keystone v3's sign-in. What is missing is found out here, since Keystone's own word for a user name
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
        throw invalid('An application credential needs its id, or its name and its user.')
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
    throw invalid('A token is for one thing: a project, a domain or a trust.')
  }
  if (trustId !== undefined) return { 'OS-TRUST:trust': { id: trustId } }
  if (domain) return { domain: domainOf(domain, 'The scope', 'OS_DOMAIN_NAME') }
  if (!project) return undefined
  if (project.id !== undefined) return { project: { id: project.id } }
  if (project.name === undefined) throw invalid('The project needs an id or a name (OS_PROJECT_NAME).')
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
  throw invalid(`${whose} is one of many without its domain: set it (${options}).`)
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

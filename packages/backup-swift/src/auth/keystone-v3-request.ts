import { BackupError } from '@stowage/backup-core'
import type {
  ApplicationCredentials,
  DomainReference,
  KeystoneScope,
  PasswordCredentials,
  TokenCredentials,
} from './credentials.js'

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

import { BackupError } from '@stowage/backup-core'
import type { SwiftCredentials } from '../auth/credentials.js'
import { chooseEndpoint, parseCatalog, parseCatalogInfo } from '../auth/catalog.js'
import type { SwiftDriverOptions } from './options.js'

const defaultKeystoneInfo = 'identity:Identity Service:publicURL'

/** Whether the options say how to sign in. */
export function saysHowToSignIn(options: SwiftDriverOptions): boolean {
  const { tokenProvider, credentials, context, backupSwiftAuth } = options
  return Boolean(tokenProvider ?? credentials ?? context) || backupSwiftAuth === 'single_user'
}

/**
 * The credentials that the options stand for: `credentials`, else those of Cinder's flags.
 *
 * @throws `OPTION_INVALID` where something is missing.
 */
export function credentialsFrom(options: SwiftDriverOptions): SwiftCredentials {
  if (options.credentials) return options.credentials
  if (options.backupSwiftAuth === 'single_user') return singleUser(options)
  const { context } = options
  if (!context) {
    throw invalid(
      'There is no way to sign in: pass cloud (or OS_CLOUD, or OS_AUTH_URL and so on in the environment), ' +
        'credentials, a context (per_user), or backupSwiftAuth = single_user and its options.',
    )
  }
  if (context.authToken === '') throw invalid('context.authToken is empty.')
  return {
    method: 'given-token',
    token: context.authToken,
    ...(context.projectId === undefined ? {} : { projectId: context.projectId }),
    ...(context.serviceCatalog === undefined ? {} : { serviceCatalog: context.serviceCatalog }),
    ...(context.expiresAt ? { expiresAt: context.expiresAt } : {}),
    ...(context.renewToken ? { renewToken: context.renewToken } : {}),
  }
}

function singleUser(options: SwiftDriverOptions): SwiftCredentials {
  const { backupSwiftUser: user, backupSwiftKey: key } = options
  if (user === undefined) throw invalid('single_user auth mode enabled, but backup_swift_user not set')
  if (key === undefined) throw invalid('single_user auth mode enabled, but backup_swift_key not set')
  const authUrl = options.backupSwiftAuthUrl ?? authUrlFromCatalog(options)
  switch (options.backupSwiftAuthVersion ?? '1') {
    case '1':
      return { method: 'v1', authUrl, user, key }
    case '2': {
      // python-swiftclient takes `tenant:user` too, where no tenant is named.
      const [tenant, name] = user.split(':', 2)
      const split = options.backupSwiftTenant === undefined && name !== undefined
      const tenantName =
        options.backupSwiftTenant ?? options.backupSwiftProject ?? (split ? tenant : undefined)
      if (tenantName === undefined) throw invalid('auth version 2 needs backup_swift_tenant')
      return { method: 'keystone-v2', authUrl, username: split ? name : user, password: key, tenantName }
    }
    case '3': {
      const project = options.backupSwiftProject ?? options.backupSwiftTenant
      if (project === undefined) throw invalid('auth version 3 needs backup_swift_project')
      return {
        method: 'password',
        authUrl,
        username: user,
        password: key,
        userDomain: domainNamed(options.backupSwiftUserDomain),
        scope: { project: { name: project, domain: domainNamed(options.backupSwiftProjectDomain) } },
      }
    }
  }
}

/** Without a name it is the domain with the id `default`, as it is for Cinder by way of python-keystoneclient. */
function domainNamed(name: string | undefined): { id: string } | { name: string } {
  return name === undefined ? { id: 'default' } : { name }
}

function authUrlFromCatalog({
  context,
  keystoneCatalogInfo,
  backupSwiftRegionName,
}: SwiftDriverOptions): string {
  const text = keystoneCatalogInfo ?? defaultKeystoneInfo
  const info = parseCatalogInfo(text, 'keystone_catalog_info')
  if (context?.serviceCatalog === undefined) {
    throw invalid(
      'Could not determine which Keystone endpoint to use. This can either be set in the service catalog or with ' +
        "the cinder.conf config option 'backup_swift_auth_url'.",
    )
  }
  return chooseEndpoint(parseCatalog(context.serviceCatalog), {
    serviceType: info.serviceType,
    serviceName: info.serviceName === '' ? undefined : info.serviceName,
    nameIsDefault: text === defaultKeystoneInfo,
    interface: info.endpointType,
    region: backupSwiftRegionName,
  }).url
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

/** All secrets of the options: passwords, keys and tokens. No error quotes one of them from a server's answer. */
export function secretsOf(options: SwiftDriverOptions): string[] {
  const { credentials, serviceCredentials, backupSwiftKey, context } = options
  const all = [
    backupSwiftKey,
    context?.authToken,
    ...secretsOfCredentials(credentials),
    ...secretsOfCredentials(serviceCredentials),
  ]
  return all.flatMap((secret) => (secret === undefined || secret === '' ? [] : [secret]))
}

function secretsOfCredentials(credentials: SwiftCredentials | undefined): (string | undefined)[] {
  switch (credentials?.method) {
    case undefined:
      return []
    case 'v1':
      return [credentials.key]
    case 'keystone-v2':
      return [credentials.password, credentials.token]
    case 'password':
      return [credentials.password]
    case 'token':
    case 'given-token':
      return [credentials.token]
    case 'application-credential':
      return [credentials.secret]
  }
}

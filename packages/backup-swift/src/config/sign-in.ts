import { BackupError } from '@stowage/backup-core'
import { chooseEndpoint, parseCatalog, parseCatalogInfo } from '../auth/catalog.js'
import type { SwiftCredentials } from '../auth/credentials.js'
import { withoutUndefined } from '@stowage/http'
import { cinderFlags, cinderOptions, type SwiftDriverOptions } from './options.js'

/** Whether the options determine how to sign in. */
export function hasSignIn({
  tokenProvider,
  credentials,
  context,
  backupSwiftAuth,
}: SwiftDriverOptions): boolean {
  return Boolean(tokenProvider ?? credentials ?? context) || backupSwiftAuth === 'single_user'
}

/**
 * Returns `credentials`, or those that Cinder's options describe.
 *
 * @throws `OPTION_INVALID` if an option is missing
 */
export function credentialsFrom(options: SwiftDriverOptions): SwiftCredentials {
  if (options.credentials) return options.credentials
  if (options.backupSwiftAuth === 'single_user') return singleUser(options)
  const { context } = options
  if (!context) {
    throw invalid(
      'Cannot sign in: no option determines how. Pass cloud (or set OS_CLOUD, or OS_AUTH_URL and its like), credentials, a ' +
        'context (per_user), or backupSwiftAuth = single_user with its options.',
    )
  }
  const { authToken: token, projectId, serviceCatalog, expiresAt, renewToken } = context
  return {
    method: 'given-token',
    token,
    ...withoutUndefined({ projectId, expiresAt, renewToken }),
    ...(serviceCatalog === undefined ? {} : { serviceCatalog }),
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

function authUrlFromCatalog(options: SwiftDriverOptions): string {
  const { context, keystoneCatalogInfo, backupSwiftRegionName } = options
  const defaultInfo = cinderOptions.keystoneCatalogInfo.default
  const info = parseCatalogInfo(keystoneCatalogInfo ?? defaultInfo, 'keystone_catalog_info')
  if (context?.serviceCatalog === undefined) {
    throw invalid(
      'Could not determine which Keystone endpoint to use. This can either be set in the service catalog or with ' +
        "the cinder.conf config option 'backup_swift_auth_url'.",
    )
  }
  return chooseEndpoint(parseCatalog(context.serviceCatalog), {
    ...info,
    isDefaultName: (keystoneCatalogInfo ?? defaultInfo) === defaultInfo,
    region: backupSwiftRegionName,
  }).url
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

/** Returns all secrets of the options: passwords, keys and tokens, which no error may quote from a server's response. */
export function secretsOf(options: SwiftDriverOptions): string[] {
  const { credentials, serviceCredentials, context } = options
  const secrets = [
    ...cinderFlags.map(([name, { secret }]) => (secret ? options[name] : undefined)),
    context?.authToken,
    ...secretsOfCredentials(credentials),
    ...secretsOfCredentials(serviceCredentials),
  ]
  return secrets.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
}

/** Each credential field that is a secret in one of the methods. */
function secretsOfCredentials(credentials: SwiftCredentials | undefined): unknown[] {
  const fields: Readonly<Record<string, unknown>> = { ...credentials }
  return ['key', 'password', 'token', 'secret'].map((name) => fields[name])
}

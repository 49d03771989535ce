import { BackupError } from '@stowage/backup-core'
import type { DomainReference, KeystoneScope, SwiftCredentials } from '../auth/credentials.js'
import type { SwiftDriverOptions } from './options.js'

/** The names that OpenStack's tools have for the parts of a sign-in: `auth:` in clouds.yaml, `OS_` in capitals. */
export const authParameterNames = [
  'auth_type',
  'auth_url',
  'identity_api_version',
  'username',
  'user_id',
  'password',
  'token',
  'user_domain_id',
  'user_domain_name',
  'project_id',
  'project_name',
  'tenant_id',
  'tenant_name',
  'project_domain_id',
  'project_domain_name',
  'default_domain_id',
  'default_domain_name',
  'default_domain',
  'domain_id',
  'domain_name',
  'trust_id',
  'application_credential_id',
  'application_credential_name',
  'application_credential_secret',
] as const

/** A sign-in in those names. */
export type AuthParameters = { readonly [K in (typeof authParameterNames)[number]]?: string }

/**
 * Credentials from the parameters of OpenStack's tools, by `auth_type` or, without it, by what is there.
 *
 * @param whose What the parameters come from, to begin a message with.
 * @throws `CONFIG_INVALID`
 */
export function credentialsOf(parameters: AuthParameters, whose: string): SwiftCredentials {
  const { auth_url: authUrl } = parameters
  if (authUrl === undefined) throw invalid(`${whose} has no auth_url.`)
  const type = parameters.auth_type ?? guessedType(parameters)
  const need = (name: keyof AuthParameters): string => {
    const value = parameters[name]
    if (value === undefined) throw invalid(`${whose} has no ${name}, which auth_type ${type} needs.`)
    return value
  }
  switch (type) {
    case 'v1password':
      return { method: 'v1', authUrl, user: need('username'), key: need('password') }
    case 'v2password':
    case 'v2token':
      return keystoneV2(parameters, authUrl, type === 'v2token', need)
    case 'password':
    case 'v3password':
      return isV2(parameters)
        ? keystoneV2(parameters, authUrl, false, need)
        : {
            method: 'password',
            authUrl,
            password: need('password'),
            ...userOf(parameters),
            scope: scopeOf(parameters),
          }
    case 'token':
    case 'v3token':
      return isV2(parameters)
        ? keystoneV2(parameters, authUrl, true, need)
        : { method: 'token', authUrl, token: need('token'), scope: scopeOf(parameters) }
    case 'v3applicationcredential':
      return {
        method: 'application-credential',
        authUrl,
        secret: need('application_credential_secret'),
        ...defined('id', parameters.application_credential_id),
        ...defined('name', parameters.application_credential_name),
        ...userOf(parameters),
      }
    default:
      throw invalid(
        `${whose} has the auth_type ${type}, which is not known here: use password, token, ` +
          'v3applicationcredential, v2password or v1password, or pass a tokenProvider of your own.',
      )
  }
}

function guessedType(parameters: AuthParameters): string {
  if (parameters.application_credential_secret !== undefined) return 'v3applicationcredential'
  return parameters.token !== undefined && parameters.password === undefined ? 'token' : 'password'
}

function isV2({ identity_api_version: version }: AuthParameters): boolean {
  return version !== undefined && /^v?2/.test(version)
}

function keystoneV2(
  parameters: AuthParameters,
  authUrl: string,
  byToken: boolean,
  need: (name: keyof AuthParameters) => string,
): SwiftCredentials {
  return {
    method: 'keystone-v2',
    authUrl,
    ...(byToken ? { token: need('token') } : { username: need('username'), password: need('password') }),
    ...defined('tenantId', parameters.tenant_id ?? parameters.project_id),
    ...defined('tenantName', parameters.tenant_name ?? parameters.project_name),
  }
}

function userOf(parameters: AuthParameters): {
  userId?: string
  username?: string
  userDomain?: DomainReference
} {
  const domain = domainOf(parameters, parameters.user_domain_id, parameters.user_domain_name)
  return {
    ...defined('userId', parameters.user_id),
    ...defined('username', parameters.username),
    ...(domain ? { userDomain: domain } : {}),
  }
}

function scopeOf(parameters: AuthParameters): KeystoneScope {
  const { trust_id: trustId, domain_id: domainId, domain_name: domainName } = parameters
  if (trustId !== undefined) return { trustId }
  const id = parameters.project_id ?? parameters.tenant_id
  const name = parameters.project_name ?? parameters.tenant_name
  if (id !== undefined) return { project: { id } }
  if (name !== undefined) {
    const domain = domainOf(parameters, parameters.project_domain_id, parameters.project_domain_name)
    return { project: { name, ...(domain ? { domain } : {}) } }
  }
  if (domainId !== undefined) return { domain: { id: domainId } }
  if (domainName !== undefined) return { domain: { name: domainName } }
  return {}
}

function domainOf(
  parameters: AuthParameters,
  id: string | undefined,
  name: string | undefined,
): DomainReference | undefined {
  if (id !== undefined) return { id }
  if (name !== undefined) return { name }
  const defaultId = parameters.default_domain_id ?? parameters.default_domain
  if (defaultId !== undefined) return { id: defaultId }
  return parameters.default_domain_name === undefined ? undefined : { name: parameters.default_domain_name }
}

function defined<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: string })
}

function invalid(message: string): BackupError {
  return new BackupError('CONFIG_INVALID', message)
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * What the environment says of signing in, in the order in which the `swift` command looks: `OS_STORAGE_URL` with
 * `OS_AUTH_TOKEN`, `ST_AUTH` with `ST_USER` and `ST_KEY`, then `OS_AUTH_URL` and what goes with it. Undefined where
 * it says nothing. A variable that is empty is not set.
 *
 * @throws `CONFIG_INVALID`
 */
export function fromEnvironment(env: Environment): SwiftDriverOptions | undefined {
  const get = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const common = connectionOptions(get)
  const storageUrl = get('OS_STORAGE_URL')
  const token = get('OS_AUTH_TOKEN')
  if (storageUrl !== undefined && token !== undefined) {
    return { ...common, storageUrl, credentials: { method: 'given-token', token } }
  }
  const [authUrl, user, key] = [get('ST_AUTH'), get('ST_USER'), get('ST_KEY')]
  if (authUrl !== undefined && user !== undefined && key !== undefined && isV1(get('ST_AUTH_VERSION'))) {
    return { ...common, credentials: { method: 'v1', authUrl, user, key } }
  }
  const parameters = parametersOf(get)
  if (parameters.auth_url === undefined) return undefined
  return { ...common, credentials: credentialsOf(parameters, 'The environment (OS_…)') }
}

function isV1(version: string | undefined): boolean {
  return version === undefined || /^v?1(?:\.0)?$/.test(version)
}

function parametersOf(get: (name: string) => string | undefined): AuthParameters {
  const parameters: { -readonly [K in keyof AuthParameters]: string } = {}
  for (const name of authParameterNames) {
    const value = get(`OS_${name.toUpperCase()}`)
    if (value !== undefined) parameters[name] = value
  }
  // The swift command's names for two of them; ST_ with version 2 or 3 is Keystone too.
  const aliases: readonly (readonly [keyof AuthParameters, string])[] = [
    ['token', 'OS_AUTH_TOKEN'],
    ['identity_api_version', 'OS_AUTH_VERSION'],
    ['identity_api_version', 'ST_AUTH_VERSION'],
    ['auth_url', 'ST_AUTH'],
    ['username', 'ST_USER'],
    ['password', 'ST_KEY'],
  ]
  for (const [name, variable] of aliases) {
    const value = get(variable)
    if (parameters[name] === undefined && value !== undefined) parameters[name] = value
  }
  return parameters
}

function connectionOptions(get: (name: string) => string | undefined): SwiftDriverOptions {
  const region = get('OS_REGION_NAME')
  const endpointType = get('OS_INTERFACE') ?? get('OS_ENDPOINT_TYPE')
  const storageUrl = get('OS_STORAGE_URL')
  const [caCert, cert, key] = [get('OS_CACERT'), get('OS_CERT'), get('OS_KEY')]
  const insecure = get('OS_INSECURE') ?? get('SWIFTCLIENT_INSECURE')
  return {
    ...(region === undefined ? {} : { backupSwiftRegionName: region }),
    ...(endpointType === undefined ? {} : { swiftCatalogInfo: `object-store::${endpointType}` }),
    ...(storageUrl === undefined ? {} : { storageUrl }),
    ...(caCert === undefined ? {} : { backupSwiftCaCertFile: caCert }),
    ...(cert === undefined || key === undefined ? {} : { clientCertFile: cert, clientKeyFile: key }),
    ...(insecure !== undefined && /^(?:true|1|on|yes)$/i.test(insecure)
      ? { backupSwiftAuthInsecure: true }
      : {}),
  }
}

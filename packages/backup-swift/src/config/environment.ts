import { BackupError } from '@stowage/backup-core'
import type { DomainReference, KeystoneScope, SwiftCredentials } from '../auth/credentials.js'
import { withoutUndefined, type Environment } from '@stowage/http'
import { isTrue } from '@stowage/cinder-conf'
import type { SwiftDriverOptions } from './options.js'

/** The names of OpenStack's sign-in parameters: as in `auth:` of clouds.yaml; in capitals after `OS_` in the environment. */
const authParameterNames = [
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

type AuthParameterName = (typeof authParameterNames)[number]

type AuthParameters = { readonly [Name in AuthParameterName]?: string }

/** Returns the value of a parameter; undefined if it is unset. */
type Lookup = (name: AuthParameterName) => string | undefined

/**
 * Makes credentials of the parameters of OpenStack's tools, by `auth_type` or, if unset, by the parameters that are set.
 *
 * @param source - begins an error message: `The cloud prod of clouds.yaml`
 * @throws `CONFIG_INVALID`
 */
export function credentialsOf(get: Lookup, source: string): SwiftCredentials {
  const parameters: AuthParameters = withoutUndefined(
    Object.fromEntries(authParameterNames.map((name) => [name, get(name)])),
  )
  const { auth_url: authUrl } = parameters
  if (authUrl === undefined) throw invalid(`${source} has no auth_url.`)
  const type = parameters.auth_type ?? guessedType(parameters)
  const isV2 = /^v?2/.test(parameters.identity_api_version ?? '')
  const need = (name: AuthParameterName): string => {
    const value = parameters[name]
    if (value === undefined) throw invalid(`${source} has no ${name}, which auth_type ${type} requires.`)
    return value
  }
  const keystoneV2 = (
    proof: { token: string } | { username: string; password: string },
  ): SwiftCredentials => ({
    method: 'keystone-v2',
    authUrl,
    ...proof,
    ...withoutUndefined({
      tenantId: parameters.tenant_id ?? parameters.project_id,
      tenantName: parameters.tenant_name ?? parameters.project_name,
    }),
  })
  switch (type) {
    case 'v1password':
      return { method: 'v1', authUrl, user: need('username'), key: need('password') }
    case 'v2password':
    case 'password':
    case 'v3password': {
      const password = need('password')
      if (type === 'v2password' || isV2) return keystoneV2({ username: need('username'), password })
      return { method: 'password', authUrl, password, ...userOf(parameters), scope: scopeOf(parameters) }
    }
    case 'v2token':
    case 'token':
    case 'v3token': {
      const token = need('token')
      if (type === 'v2token' || isV2) return keystoneV2({ token })
      return { method: 'token', authUrl, token, scope: scopeOf(parameters) }
    }
    case 'v3applicationcredential':
      return {
        method: 'application-credential',
        authUrl,
        secret: need('application_credential_secret'),
        ...withoutUndefined({
          id: parameters.application_credential_id,
          name: parameters.application_credential_name,
        }),
        ...userOf(parameters),
      }
    default:
      throw invalid(
        `${source} has the auth_type ${type}, which is not supported: use password, token, ` +
          'v3applicationcredential, v2password or v1password, or pass a custom tokenProvider.',
      )
  }
}

function guessedType(parameters: AuthParameters): string {
  if (parameters.application_credential_secret !== undefined) return 'v3applicationcredential'
  return parameters.token !== undefined && parameters.password === undefined ? 'token' : 'password'
}

function userOf(parameters: AuthParameters): {
  userId?: string
  username?: string
  userDomain?: DomainReference
} {
  return withoutUndefined({
    userId: parameters.user_id,
    username: parameters.username,
    userDomain: domainOf(parameters, parameters.user_domain_id, parameters.user_domain_name),
  })
}

function scopeOf(parameters: AuthParameters): KeystoneScope {
  const { trust_id: trustId, domain_id: domainId, domain_name: domainName } = parameters
  if (trustId !== undefined) return { trustId }
  const id = parameters.project_id ?? parameters.tenant_id
  const name = parameters.project_name ?? parameters.tenant_name
  if (id !== undefined) return { project: { id } }
  if (name !== undefined) {
    const domain = domainOf(parameters, parameters.project_domain_id, parameters.project_domain_name)
    return { project: withoutUndefined({ name, domain }) }
  }
  if (domainId !== undefined) return { domain: { id: domainId } }
  return domainName === undefined ? {} : { domain: { name: domainName } }
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

function invalid(message: string): BackupError {
  return new BackupError('CONFIG_INVALID', message)
}

/** What clouds.yaml and the environment have besides the sign-in. */
interface ConnectionTexts {
  readonly region: string | undefined
  readonly serviceName?: string | undefined
  readonly endpointType: string | undefined
  readonly storageUrl: string | undefined
  readonly caCert: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly isInsecure: boolean
}

/** Makes options of it. */
export function connectionOptions(texts: ConnectionTexts): SwiftDriverOptions {
  const { region, serviceName, endpointType, storageUrl, caCert, cert, key, isInsecure } = texts
  const hasClientCertificate = cert !== undefined && key !== undefined
  return withoutUndefined({
    backupSwiftRegionName: region,
    swiftCatalogInfo:
      endpointType === undefined && serviceName === undefined
        ? undefined
        : `object-store:${serviceName ?? ''}:${endpointType ?? 'public'}`,
    storageUrl,
    backupSwiftCaCertFile: caCert,
    clientCertFile: hasClientCertificate ? cert : undefined,
    clientKeyFile: hasClientCertificate ? key : undefined,
    backupSwiftAuthInsecure: isInsecure ? true : undefined,
  })
}

/** The variables of each parameter besides `OS_…`: other names of the swift command. ST_ with version 2 or 3 is Keystone too. */
const otherVariables: { readonly [Name in AuthParameterName]?: readonly string[] } = {
  token: ['OS_AUTH_TOKEN'],
  identity_api_version: ['OS_AUTH_VERSION', 'ST_AUTH_VERSION'],
  auth_url: ['ST_AUTH'],
  username: ['ST_USER'],
  password: ['ST_KEY'],
}

/**
 * Reads how to sign in from the environment, with the precedence of the `swift` command: `OS_STORAGE_URL` with
 * `OS_AUTH_TOKEN`, `ST_AUTH` with `ST_USER` and `ST_KEY`, then `OS_AUTH_URL` and its like. Undefined if nothing is set. An
 * empty variable is unset.
 *
 * @throws `CONFIG_INVALID`
 */
export function fromEnvironment(env: Environment): SwiftDriverOptions | undefined {
  const get = (...names: readonly string[]): string | undefined =>
    names.map((name) => env[name]).find((value) => value !== undefined && value !== '')
  const storageUrl = get('OS_STORAGE_URL')
  const common = connectionOptions({
    region: get('OS_REGION_NAME'),
    endpointType: get('OS_INTERFACE', 'OS_ENDPOINT_TYPE'),
    storageUrl,
    caCert: get('OS_CACERT'),
    cert: get('OS_CERT'),
    key: get('OS_KEY'),
    isInsecure: isTrue(get('OS_INSECURE', 'SWIFTCLIENT_INSECURE')),
  })
  const token = get('OS_AUTH_TOKEN')
  if (storageUrl !== undefined && token !== undefined) {
    return { ...common, credentials: { method: 'given-token', token } }
  }
  const [authUrl, user, key] = [get('ST_AUTH'), get('ST_USER'), get('ST_KEY')]
  const isV1 = /^v?1(?:\.0)?$/.test(get('ST_AUTH_VERSION') ?? '1')
  if (authUrl !== undefined && user !== undefined && key !== undefined && isV1) {
    return { ...common, credentials: { method: 'v1', authUrl, user, key } }
  }
  const parameter: Lookup = (name) => get(`OS_${name.toUpperCase()}`, ...(otherVariables[name] ?? []))
  if (parameter('auth_url') === undefined) return undefined
  return { ...common, credentials: credentialsOf(parameter, 'The environment (OS_…)') }
}

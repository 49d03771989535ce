import type { AuthParameters } from './auth-parameters.js'
import { authParameterNames, credentialsOf } from './auth-parameters.js'
import type { SwiftDriverOptions } from './options.js'

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

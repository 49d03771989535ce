import { BackupError } from '@stowage/backup-core'

/** Selects one endpoint of a service catalog. */
export interface EndpointChoice {
  readonly serviceType: string
  /** Undefined accepts any name, if only one service is of the type. */
  readonly serviceName: string | undefined
  /** Accepts another name if there is no service of this one: the name is a default that the caller did not choose. */
  readonly isDefaultName: boolean
  /** `public`, `internal` or `admin`. */
  readonly interface: string
  /** Undefined accepts any region, if the endpoint is in only one. */
  readonly region: string | undefined
}

/** How the URL of the account is found: the first of these that is set. */
export interface StorageEndpoint {
  /** The complete URL. */
  readonly storageUrl: string | undefined
  /** The URL to which the project id is appended unchanged: it ends in `AUTH_`. */
  readonly swiftUrl: string | undefined
  /** The endpoint in the catalog. */
  readonly choice: EndpointChoice
}

/** The parts of a token from which the URL of the account is made. */
export interface TokenScope {
  readonly projectId: unknown
  /** Undefined if the token has none. */
  readonly catalog: unknown
}

/**
 * Returns the URL of the account, without a slash at its end.
 *
 * @throws `ENDPOINT_NOT_FOUND`, `CATALOG_INVALID`
 */
export function storageUrlOf(endpoint: StorageEndpoint, { projectId, catalog }: TokenScope): string {
  if (endpoint.storageUrl !== undefined) return withoutSlash(endpoint.storageUrl)
  if (endpoint.swiftUrl !== undefined) {
    if (typeof projectId !== 'string' || projectId === '') {
      throw new BackupError(
        'ENDPOINT_NOT_FOUND',
        'backupSwiftUrl requires a project id to append, and the token has none: sign in to a project, or set storageUrl ' +
          'to the complete URL of the account.',
      )
    }
    return endpoint.swiftUrl + encodeURIComponent(projectId)
  }
  if (catalog === undefined) {
    throw new BackupError(
      'ENDPOINT_NOT_FOUND',
      'Could not determine which Swift endpoint to use: the token has no service catalog, as one without a project. Sign in ' +
        'to a project, or set backupSwiftUrl or storageUrl.',
    )
  }
  return withoutSlash(chooseEndpoint(parseCatalog(catalog), endpoint.choice).url)
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/**
 * Parses `<service_type>:<service_name>:<endpoint_type>`.
 *
 * @throws `OPTION_INVALID` with Cinder's text
 */
export function parseCatalogInfo(
  text: string,
  flag: string,
): Pick<EndpointChoice, 'serviceType' | 'serviceName' | 'interface'> {
  const [serviceType, serviceName, endpointType, ...more] = text.split(':')
  if (!serviceType || serviceName === undefined || !endpointType || more.length > 0) {
    throw new BackupError(
      'OPTION_INVALID',
      `Failed to parse the configuration option '${flag}', must be in the form ` +
        '<service_type>:<service_name>:<endpoint_type>',
    )
  }
  if (!/^(?:public|internal|admin)(?:URL)?$/.test(endpointType)) {
    throw new BackupError(
      'OPTION_INVALID',
      `The endpoint type in '${flag}' must be publicURL, internalURL or adminURL, not ${endpointType}.`,
    )
  }
  return { serviceType, serviceName: serviceName || undefined, interface: interfaceName(endpointType) }
}

/** One URL of one service. */
export interface CatalogEndpoint {
  readonly serviceType: string
  readonly serviceName: string
  /** `public`, `internal` or `admin`. */
  readonly interface: string
  readonly region: string
  readonly url: string
}

/**
 * Parses a service catalog of Keystone v3 (an endpoint has `interface` and `url`) or v2 (`publicURL`, `internalURL`,
 * `adminURL`). Cinder's request context has the latter form.
 *
 * @throws `CATALOG_INVALID` if it has neither form
 */
export function parseCatalog(catalog: unknown): readonly CatalogEndpoint[] {
  if (!Array.isArray(catalog)) throw invalid('it is not an array')
  return catalog.flatMap((service: unknown) => {
    if (!isRecord(service)) throw invalid('a service is not an object')
    const { type: serviceType, name: serviceName = '', endpoints = [] } = service
    if (typeof serviceType !== 'string' || typeof serviceName !== 'string' || !Array.isArray(endpoints)) {
      throw invalid('a service has no type, or its name or endpoints have the wrong type')
    }
    return endpoints.flatMap((endpoint: unknown) => {
      if (!isRecord(endpoint)) throw invalid(`an endpoint of ${serviceType} is not an object`)
      return urlsOf(endpoint).map((url) => ({ serviceType, serviceName, ...url }))
    })
  })
}

/**
 * Returns the endpoint that a choice selects. Never guesses among regions, services or interfaces.
 *
 * @throws `ENDPOINT_NOT_FOUND` with what the catalog offers
 */
export function chooseEndpoint(catalog: readonly CatalogEndpoint[], choice: EndpointChoice): CatalogEndpoint {
  const { serviceType, serviceName, region } = choice
  const narrow = (
    from: readonly CatalogEndpoint[],
    key: 'serviceType' | 'serviceName' | 'interface' | 'region',
    wanted: string | undefined,
    missing: string,
  ): readonly CatalogEndpoint[] => {
    const found = wanted === undefined ? from : from.filter((endpoint) => endpoint[key] === wanted)
    if (found.length === 0) throw notFound(missing, key, from)
    return found
  }
  const ofType = narrow(catalog, 'serviceType', serviceType, `no service of type ${serviceType}`)
  const acceptsAny = choice.isDefaultName && !ofType.some((endpoint) => endpoint.serviceName === serviceName)
  const named = narrow(
    ofType,
    'serviceName',
    acceptsAny ? undefined : serviceName,
    `no ${serviceType} service named ${serviceName ?? ''}`,
  )
  if (distinct(named, 'serviceName').length > 1) {
    const several = `several services of type ${serviceType}; name one in swiftCatalogInfo`
    throw notFound(several, 'serviceName', named)
  }
  const what = `${choice.interface} endpoint for ${serviceType}`
  const reachable = narrow(named, 'interface', choice.interface, `no ${what}`)
  const inRegion = narrow(reachable, 'region', region, `no ${what} in region ${region ?? ''}`)
  if (distinct(inRegion, 'url').length > 1) {
    const several = `${serviceType} in several regions; name one in backupSwiftRegionName (OS_REGION_NAME)`
    throw notFound(several, 'region', inRegion)
  }
  const [endpoint] = inRegion as readonly [CatalogEndpoint]
  checkUrl(endpoint.url)
  return endpoint
}

/** `publicURL` and `public` are the same interface. */
function interfaceName(name: string): string {
  return name.replace(/URL$/, '')
}

function urlsOf(endpoint: Record<string, unknown>): Pick<CatalogEndpoint, 'interface' | 'region' | 'url'>[] {
  const region = endpoint['region_id'] ?? endpoint['region'] ?? ''
  if (typeof region !== 'string') throw invalid('a region is not a string')
  if ('interface' in endpoint || 'url' in endpoint) {
    const { interface: name, url } = endpoint
    if (typeof name !== 'string' || typeof url !== 'string') {
      throw invalid('an endpoint has no interface or no url')
    }
    return [{ interface: interfaceName(name), region, url }]
  }
  return ['public', 'internal', 'admin'].flatMap((name) => {
    const url = endpoint[`${name}URL`] ?? undefined
    if (url === undefined) return []
    if (typeof url !== 'string') throw invalid(`a ${name}URL is not a string`)
    return [{ interface: name, region, url }]
  })
}

function checkUrl(text: string): void {
  if (!URL.canParse(text)) throw invalid('the endpoint is not a valid URL')
  const { protocol, username, password } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw invalid(`the scheme of the endpoint is ${protocol}, not http or https`)
  }
  if (username !== '' || password !== '')
    throw invalid('the URL of the endpoint contains a user or a password')
}

function distinct(endpoints: readonly CatalogEndpoint[], key: keyof CatalogEndpoint): string[] {
  return [...new Set(endpoints.map((endpoint) => endpoint[key]))].sort()
}

const plurals = { serviceType: 'services', serviceName: 'names', interface: 'interfaces', region: 'regions' }

function notFound(what: string, key: keyof typeof plurals, present: readonly CatalogEndpoint[]): BackupError {
  const names = distinct(present, key).map((name) => (name === '' ? '(no name)' : name))
  const offered = names.length === 0 ? 'none' : names.join(', ')
  return new BackupError(
    'ENDPOINT_NOT_FOUND',
    `The service catalog has ${what}. Its ${plurals[key]}: ${offered}.`,
  )
}

function invalid(why: string): BackupError {
  return new BackupError(
    'CATALOG_INVALID',
    `The service catalog is not usable: ${why}. Ask the operator of the cloud, or set backupSwiftUrl.`,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

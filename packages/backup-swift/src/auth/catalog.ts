import { BackupError } from '@stowage/backup-core'

/** How the account's URL is found. */
export interface StorageEndpoint {
  /** The whole URL of the account. */
  readonly storageUrl?: string
  /** The URL up to the project's id, which is appended as it is: it ends in `AUTH_`. */
  readonly swiftUrl?: string
  readonly catalogInfo: CatalogInfo
  /** Whether the service's name in `catalogInfo` is only the default. */
  readonly nameIsDefault: boolean
  readonly region?: string
}

/** What a sign-in brought that the URL may be made of. */
export interface SignedIn {
  readonly projectId?: string | undefined
  /** Undefined where the token has none. */
  readonly catalog?: unknown
}

/**
 * The account's URL: as given, from backup_swift_url and the project, or from the catalog.
 *
 * @throws `ENDPOINT_NOT_FOUND`, `CATALOG_INVALID`
 */
export function storageUrlOf(endpoint: StorageEndpoint, { projectId, catalog }: SignedIn): string {
  if (endpoint.storageUrl !== undefined) return withoutSlash(endpoint.storageUrl)
  if (endpoint.swiftUrl !== undefined) {
    if (projectId === undefined || projectId === '') {
      throw new BackupError(
        'ENDPOINT_NOT_FOUND',
        'backupSwiftUrl needs the id of the project, which is appended to it, and the token has none: sign in to a ' +
          'project, or set storageUrl to the whole URL of the account.',
      )
    }
    return endpoint.swiftUrl + encodeURIComponent(projectId)
  }
  if (catalog === undefined) {
    throw new BackupError(
      'ENDPOINT_NOT_FOUND',
      'Could not determine which Swift endpoint to use: the token came without a service catalog, as one without a ' +
        'project does. Sign in to a project, or set backupSwiftUrl or storageUrl.',
    )
  }
  const { serviceType, serviceName, endpointType } = endpoint.catalogInfo
  const chosen = chooseEndpoint(parseCatalog(catalog), {
    serviceType,
    serviceName: serviceName === '' ? undefined : serviceName,
    nameIsDefault: endpoint.nameIsDefault,
    interface: endpointType,
    region: endpoint.region,
  })
  return withoutSlash(chosen.url)
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** What `swift_catalog_info` and `keystone_catalog_info` say. */
export interface CatalogInfo {
  readonly serviceType: string
  /** Empty for any. */
  readonly serviceName: string
  /** As written: `publicURL`, `public`. */
  readonly endpointType: string
}

/**
 * Reads `<service_type>:<service_name>:<endpoint_type>`.
 *
 * @throws `OPTION_INVALID` on any other shape, in Cinder's words.
 */
export function parseCatalogInfo(text: string, flag: string): CatalogInfo {
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
      `The endpoint type ${endpointType} in '${flag}' is none of publicURL, internalURL and adminURL.`,
    )
  }
  return { serviceType, serviceName, endpointType }
}

/** One address of one service, whichever shape its catalog had. */
export interface CatalogEndpoint {
  readonly serviceType: string
  readonly serviceName: string
  /** `public`, `internal` or `admin`. */
  readonly interface: string
  readonly region: string
  readonly url: string
}

/**
 * Reads a service catalog: that of Keystone v3 (an entry has `interface` and `url`), that of v2 (`publicURL`,
 * `internalURL`, `adminURL`) or the one in Cinder's request context, which has the shape of v2.
 *
 * @throws `CATALOG_INVALID` where it is none of these.
 */
export function parseCatalog(catalog: unknown): readonly CatalogEndpoint[] {
  if (!Array.isArray(catalog)) throw invalid('it is no list')
  return catalog.flatMap((service: unknown) => {
    if (!isRecord(service)) throw invalid('a service is no object')
    const serviceType = service['type']
    const serviceName = service['name'] ?? ''
    const endpoints = service['endpoints'] ?? []
    if (typeof serviceType !== 'string' || typeof serviceName !== 'string' || !Array.isArray(endpoints)) {
      throw invalid('a service has no type, or its name or endpoints are of a wrong kind')
    }
    return endpoints.flatMap((endpoint: unknown) => {
      if (!isRecord(endpoint)) throw invalid(`an endpoint of ${serviceType} is no object`)
      return addressesOf(endpoint).map((address) => ({ serviceType, serviceName, ...address }))
    })
  })
}

/** Which endpoint is wanted. */
export interface EndpointChoice {
  readonly serviceType: string
  /** Undefined takes any name, where only one service is of the type. */
  readonly serviceName: string | undefined
  /** Whether another name is accepted where the type is offered once: for a name that nobody chose. */
  readonly nameIsDefault: boolean
  /** In any of its spellings: `public`, `publicURL`. */
  readonly interface: string
  readonly region: string | undefined
}

/**
 * The one endpoint that the choice means. Never a guess among several regions or services, and never another
 * interface than the one asked for.
 *
 * @throws `ENDPOINT_NOT_FOUND`, with what the catalog has instead.
 */
export function chooseEndpoint(catalog: readonly CatalogEndpoint[], choice: EndpointChoice): CatalogEndpoint {
  const ofType = catalog.filter((endpoint) => endpoint.serviceType === choice.serviceType)
  if (ofType.length === 0) {
    throw notFound(`no service of type ${choice.serviceType}`, 'services', catalog, (e) => e.serviceType)
  }
  const wantedName = choice.serviceName
  let named = wantedName === undefined ? ofType : ofType.filter((e) => e.serviceName === wantedName)
  if (named.length === 0 && choice.nameIsDefault) named = ofType
  if (named.length === 0) {
    throw notFound(
      `no ${choice.serviceType} service named ${wantedName ?? ''}`,
      'names',
      ofType,
      (e) => e.serviceName,
    )
  }
  if (distinct(named, (e) => e.serviceName).length > 1) {
    throw notFound(
      `several services of type ${choice.serviceType}; name one in swiftCatalogInfo`,
      'names',
      named,
      (e) => e.serviceName,
    )
  }
  const wantedInterface = interfaceName(choice.interface)
  const reachable = named.filter((e) => e.interface === wantedInterface)
  if (reachable.length === 0) {
    throw notFound(
      `no ${wantedInterface} endpoint for ${choice.serviceType}`,
      'interfaces',
      named,
      (e) => e.interface,
    )
  }
  const inRegion =
    choice.region === undefined ? reachable : reachable.filter((e) => e.region === choice.region)
  const [endpoint, other] = inRegion
  if (!endpoint) {
    throw notFound(
      `no ${wantedInterface} endpoint for ${choice.serviceType} in region ${choice.region ?? ''}`,
      'regions',
      reachable,
      (e) => e.region,
    )
  }
  if (other && distinct(inRegion, (e) => e.url).length > 1) {
    throw notFound(
      `${choice.serviceType} in several regions; name one in backupSwiftRegionName (OS_REGION_NAME)`,
      'regions',
      inRegion,
      (e) => e.region,
    )
  }
  checkUrl(endpoint.url)
  return endpoint
}

/** `publicURL` and `public` are the same word. */
export function interfaceName(word: string): string {
  return word.replace(/URL$/, '')
}

function addressesOf(
  endpoint: Record<string, unknown>,
): Pick<CatalogEndpoint, 'interface' | 'region' | 'url'>[] {
  const region = endpoint['region_id'] ?? endpoint['region'] ?? ''
  if (typeof region !== 'string') throw invalid('a region is no text')
  if ('interface' in endpoint || 'url' in endpoint) {
    const { interface: name, url } = endpoint
    if (typeof name !== 'string' || typeof url !== 'string') {
      throw invalid('an endpoint has no interface or no url')
    }
    return [{ interface: interfaceName(name), region, url }]
  }
  return ['public', 'internal', 'admin'].flatMap((name) => {
    const url = endpoint[`${name}URL`]
    if (url === undefined || url === null) return []
    if (typeof url !== 'string') throw invalid(`a ${name}URL is no text`)
    return [{ interface: name, region, url }]
  })
}

function checkUrl(text: string): void {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw invalid('the endpoint’s address is no URL', cause)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`the endpoint’s scheme is ${url.protocol} and not http or https`)
  }
  if (url.username !== '' || url.password !== '')
    throw invalid('the endpoint’s address holds a user or a password')
}

function distinct(endpoints: readonly CatalogEndpoint[], of: (e: CatalogEndpoint) => string): string[] {
  return [...new Set(endpoints.map(of))].sort()
}

function notFound(
  missing: string,
  kind: string,
  present: readonly CatalogEndpoint[],
  of: (e: CatalogEndpoint) => string,
): BackupError {
  const list = distinct(present, of)
  const has =
    list.length === 0 ? 'nothing' : list.map((name) => (name === '' ? '(no name)' : name)).join(', ')
  return new BackupError('ENDPOINT_NOT_FOUND', `The service catalog has ${missing}. Its ${kind}: ${has}.`)
}

function invalid(what: string, cause?: unknown): BackupError {
  return new BackupError(
    'CATALOG_INVALID',
    `The service catalog cannot be used: ${what}. Ask the cloud’s operator, or set backupSwiftUrl.`,
    cause === undefined ? {} : { cause },
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

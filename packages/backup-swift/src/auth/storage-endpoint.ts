import { BackupError } from '@stowage/backup-core'
import { chooseEndpoint, parseCatalog } from '../keystone/catalog.js'
import type { CatalogInfo } from '../keystone/catalog-info.js'

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

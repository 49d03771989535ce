import { BackupError } from '@stowage/backup-core'

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

import type { ChunkedDriverOptions } from '@stowage/backup-core'
import { engineOptions } from '@stowage/cinder-conf'
import { networkSettings, withDefaults, type NetworkSettings } from '@stowage/http'
import { parseCatalogInfo, type StorageEndpoint } from '../auth/catalog.js'
import { addressOf } from '../auth/keystone.js'
import { containerPath } from '../swift/names.js'
import {
  checkDriverOptions,
  cinderOptions,
  swiftOptions,
  type FilledOptions,
  type SwiftDriverOptions,
} from './options.js'

/** Options with their defaults, in the form in which the parts of the driver take them. */
export interface ResolvedSwiftOptions extends FilledOptions, NetworkSettings {
  /** The options of every driver, for the base class. */
  readonly engine: ChunkedDriverOptions
  readonly container: string
  readonly chunkSizeBytes: number
  readonly endpoint: StorageEndpoint
}

/**
 * Checks all options, fills in the defaults and reads the certificate files.
 *
 * @throws `OPTION_INVALID` with the option and its flag
 */
export function resolveOptions(options: SwiftDriverOptions): ResolvedSwiftOptions {
  checkDriverOptions(options)
  const engine = engineOptions(options, cinderOptions)
  const filled = withDefaults({ ...cinderOptions, ...swiftOptions }, options)
  const container = engine.container ?? filled.backupSwiftContainer
  containerPath(container)
  const { storageUrl, backupSwiftUrl } = filled
  if (storageUrl !== undefined) addressOf(storageUrl, 'storageUrl')
  if (backupSwiftUrl !== undefined) addressOf(backupSwiftUrl, 'backupSwiftUrl (backup_swift_url)')
  const catalogInfo = parseCatalogInfo(filled.swiftCatalogInfo, 'swift_catalog_info')
  return {
    ...filled,
    engine: { ...engine, container },
    container,
    chunkSizeBytes: engine.chunkSizeBytes ?? filled.backupSwiftObjectSize,
    endpoint: {
      storageUrl,
      swiftUrl: backupSwiftUrl,
      choice: {
        ...catalogInfo,
        isDefaultName: options.swiftCatalogInfo === undefined || catalogInfo.serviceName === 'swift',
        region: filled.backupSwiftRegionName,
      },
    },
    ...networkSettings(filled, {
      caCertFile: {
        path: filled.backupSwiftCaCertFile,
        option: 'backupSwiftCaCertFile (backup_swift_ca_cert_file)',
      },
      insecure: filled.backupSwiftAuthInsecure,
      retries: filled.backupSwiftRetryAttempts,
      backoffSeconds: filled.backupSwiftRetryBackoff,
      env: filled.env,
    }),
  }
}

import { BackupError, type ChunkedDriverOptions, type Compressor } from '@stowage/backup-core'
import { addressOf } from '../auth/keystone.js'
import { parseCatalogInfo, type StorageEndpoint } from '../auth/catalog.js'
import type { ConnectionOptions } from '../http/connection-pool.js'
import type { HttpTimeouts } from '../http/exchange-watch.js'
import type { RetryPolicy } from '../http/retry.js'
import { containerPath } from '../swift/names.js'
import { checkDriverOptions, checkTypes } from './option-checks.js'
import type { SwiftDriverOptions } from './options.js'
import { NotReadableError, readRegularFileSync } from './regular-file.js'

const defaultCatalogInfo = 'object-store:swift:publicURL'

/** The driver's own defaults: Cinder's. */
export const swiftDefaults = {
  chunkSizeBytes: 52_428_800,
  blockSizeBytes: 32_768,
  container: 'volumebackups',
} as const

/** Options with every default in its place. */
export interface ResolvedSwiftOptions {
  readonly engine: ChunkedDriverOptions
  readonly chunkSizeBytes: number
  readonly container: string
  readonly createContainers: boolean
  readonly searchAccount: boolean
  readonly storagePolicy: string | undefined
  readonly availabilityZone: string
  readonly claimSettleMs: number
  readonly endpoint: StorageEndpoint
  readonly connection: ConnectionOptions
  readonly timeouts: HttpTimeouts
  readonly retry: RetryPolicy
}

/**
 * Checks all options and fills in the defaults. Reads the certificate files.
 *
 * @throws `OPTION_INVALID`, naming the option and its flag.
 */
export function resolveOptions(options: SwiftDriverOptions): ResolvedSwiftOptions {
  checkDriverOptions(options)
  checkTypes(options)
  const chunkSizeBytes = same(
    options.chunkSizeBytes,
    options.backupSwiftObjectSize,
    'chunkSizeBytes',
    'backupSwiftObjectSize',
  )
  const blockSizeBytes = same(
    options.blockSizeBytes,
    options.backupSwiftBlockSize,
    'blockSizeBytes',
    'backupSwiftBlockSize',
  )
  const container =
    same(options.container, options.backupSwiftContainer, 'container', 'backupSwiftContainer') ??
    swiftDefaults.container
  containerPath(container)
  if (options.storageUrl !== undefined) addressOf(options.storageUrl, 'storageUrl')
  if (options.backupSwiftUrl !== undefined)
    addressOf(options.backupSwiftUrl, 'backupSwiftUrl (backup_swift_url)')
  const seconds = (value: number): number => value * 1000
  return {
    engine: engineOptions(options, { chunkSizeBytes, blockSizeBytes, container }),
    chunkSizeBytes: chunkSizeBytes ?? swiftDefaults.chunkSizeBytes,
    container,
    searchAccount: options.search !== 'container',
    createContainers: options.backupCreateContainers ?? true,
    storagePolicy: options.backupSwiftCreateStoragePolicy,
    availabilityZone: options.storageAvailabilityZone ?? 'nova',
    claimSettleMs: seconds(options.claimSettleSeconds ?? 1),
    endpoint: endpointOf(options),
    connection: {
      insecure: options.backupSwiftAuthInsecure ?? false,
      connectTimeoutMs: seconds(options.connectTimeoutSeconds ?? 10),
      env: options.env ?? process.env,
      ...fileIfNamed(
        'caCertificates',
        options.backupSwiftCaCertFile,
        'backupSwiftCaCertFile (backup_swift_ca_cert_file)',
      ),
      ...fileIfNamed('clientCertificate', options.clientCertFile, 'clientCertFile'),
      ...fileIfNamed('clientKey', options.clientKeyFile, 'clientKeyFile'),
    },
    timeouts: {
      connectMs: seconds(options.connectTimeoutSeconds ?? 10),
      headersMs: seconds(options.headersTimeoutSeconds ?? 90),
      bodyMs: seconds(options.bodyTimeoutSeconds ?? 60),
      minBytesPerSecond: options.minBytesPerSecond ?? 1024,
      windowMs: seconds(options.progressWindowSeconds ?? 60),
      exchangeMs: seconds(options.exchangeTimeoutSeconds ?? 600),
    },
    retry: {
      retries: options.backupSwiftRetryAttempts ?? 10,
      backoffMs: seconds(options.backupSwiftRetryBackoff ?? 10),
      maxBackoffMs: seconds(options.retryMaxBackoffSeconds ?? 64),
      deadlineMs: seconds(options.retryDeadlineSeconds ?? 900),
    },
  }
}

interface Sizes {
  readonly chunkSizeBytes: number | undefined
  readonly blockSizeBytes: number | undefined
  readonly container: string
}

function engineOptions(options: SwiftDriverOptions, sizes: Sizes): ChunkedDriverOptions {
  const { decompressors, catalog, concurrency, maxMemoryBytes, strict, onWarning, clock } = options
  const compression = compressionOf(options)
  const engine: { -readonly [K in keyof ChunkedDriverOptions]: ChunkedDriverOptions[K] | undefined } = {
    chunkSizeBytes: sizes.chunkSizeBytes,
    blockSizeBytes: sizes.blockSizeBytes,
    joinGapBytes: options.joinGapBytes,
    container: sizes.container,
    compression,
    // What `compression` reads stays readable where the flag chooses another word.
    decompressors: options.compression ? [options.compression, ...(decompressors ?? [])] : decompressors,
    catalog,
    concurrency,
    maxMemoryBytes,
    strict,
    onWarning,
    clock,
  }
  return Object.fromEntries(Object.entries(engine).filter(([, value]) => value !== undefined))
}

function compressionOf(options: SwiftDriverOptions): Compressor | undefined {
  const { backupCompressionAlgorithm: word, compression, decompressors = [] } = options
  if (word === undefined) return compression
  const wanted = word.toLowerCase()
  if (['none', 'off', 'no'].includes(wanted)) return undefined
  const candidates = [...(compression ? [compression] : []), ...decompressors]
  const named = candidates.find(({ name }) => name === wanted)
  if (named) return named
  // A word's alias is the same stream: gzip is zlib's to Cinder.
  const alias = candidates.find(({ aliases }) => aliases.includes(wanted))
  if (alias) return alias
  const family = wanted === 'gzip' ? 'zlib' : wanted === 'bzip2' ? 'bz2' : wanted
  throw invalid(
    `backupCompressionAlgorithm (backup_compression_algorithm) is ${word}, and no compressor of that name was given: ` +
      `install @stowage/compression-${family} and pass it as compression.`,
  )
}

function endpointOf(options: SwiftDriverOptions): StorageEndpoint {
  const info = parseCatalogInfo(options.swiftCatalogInfo ?? defaultCatalogInfo, 'swift_catalog_info')
  const { storageUrl, backupSwiftUrl, backupSwiftRegionName } = options
  return {
    catalogInfo: info,
    nameIsDefault: options.swiftCatalogInfo === undefined || info.serviceName === 'swift',
    ...(storageUrl === undefined ? {} : { storageUrl }),
    ...(backupSwiftUrl === undefined ? {} : { swiftUrl: backupSwiftUrl }),
    ...(backupSwiftRegionName === undefined ? {} : { region: backupSwiftRegionName }),
  }
}

function same<T>(
  ours: T | undefined,
  cinders: T | undefined,
  ourName: string,
  cindersName: string,
): T | undefined {
  if (ours !== undefined && cinders !== undefined && ours !== cinders) {
    throw invalid(
      `${ourName} and ${cindersName} are two names of one option, and say different things: give one.`,
    )
  }
  return ours ?? cinders
}

function fileIfNamed<K extends string>(
  key: K,
  path: string | undefined,
  option: string,
): { [P in K]?: string } {
  if (path === undefined) return {}
  try {
    return { [key]: readRegularFileSync(path).toString('utf8') } as { [P in K]?: string }
  } catch (cause) {
    const why = cause instanceof NotReadableError ? cause.message : 'an unknown error'
    throw new BackupError('OPTION_INVALID', `Cannot read the file ${path} of ${option}: ${why}.`, { cause })
  }
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

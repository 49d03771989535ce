import { BackupError, chunkedDriverShape } from '@stowage/backup-core'
import type { ChunkedDriverOptions, Compressor } from '@stowage/backup-core'
import { parseCatalogInfo, type StorageEndpoint } from '../auth/catalog.js'
import { addressOf } from '../auth/keystone.js'
import { type ConnectionOptions, type HttpTimeouts, type RetryPolicy, withoutUndefined } from '@stowage/http'
import { containerPath } from '../swift/names.js'
import {
  checkDriverOptions,
  cinderFlags,
  cinderOptions,
  withDefaults,
  type FilledOptions,
  type SwiftDriverOptions,
} from './options.js'
import { readTextFile } from './text-file.js'

/** Options with their defaults, in the form in which the parts of the driver take them. */
export interface ResolvedSwiftOptions extends FilledOptions {
  /** The options of every driver, for the base class. */
  readonly engine: ChunkedDriverOptions
  readonly container: string
  readonly chunkSizeBytes: number
  readonly endpoint: StorageEndpoint
  readonly connection: ConnectionOptions
  readonly timeouts: HttpTimeouts
  readonly retry: RetryPolicy
}

/**
 * Checks all options, fills in the defaults and reads the certificate files.
 *
 * @throws `OPTION_INVALID` with the option and its flag
 */
export function resolveOptions(options: SwiftDriverOptions): ResolvedSwiftOptions {
  checkDriverOptions(options)
  const engine = engineOptions(options)
  const filled = withDefaults(options)
  const container = engine.container ?? filled.backupSwiftContainer
  containerPath(container)
  const { storageUrl, backupSwiftUrl } = filled
  if (storageUrl !== undefined) addressOf(storageUrl, 'storageUrl')
  if (backupSwiftUrl !== undefined) addressOf(backupSwiftUrl, 'backupSwiftUrl (backup_swift_url)')
  const catalogInfo = parseCatalogInfo(filled.swiftCatalogInfo, 'swift_catalog_info')
  const ms = (seconds: number): number => seconds * 1000
  const connectMs = ms(filled.connectTimeoutSeconds)
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
    connection: {
      insecure: filled.backupSwiftAuthInsecure,
      connectTimeoutMs: connectMs,
      env: filled.env ?? process.env,
      ...withoutUndefined({
        caCertificates: fileOf(
          filled.backupSwiftCaCertFile,
          'backupSwiftCaCertFile (backup_swift_ca_cert_file)',
        ),
        clientCertificate: fileOf(filled.clientCertFile, 'clientCertFile'),
        clientKey: fileOf(filled.clientKeyFile, 'clientKeyFile'),
      }),
    },
    timeouts: {
      connectMs,
      headersMs: ms(filled.headersTimeoutSeconds),
      bodyMs: ms(filled.bodyTimeoutSeconds),
      minBytesPerSecond: filled.minBytesPerSecond,
      windowMs: ms(filled.progressWindowSeconds),
      exchangeMs: ms(filled.exchangeTimeoutSeconds),
    },
    retry: {
      retries: filled.backupSwiftRetryAttempts,
      backoffMs: ms(filled.backupSwiftRetryBackoff),
      maxBackoffMs: ms(filled.retryMaxBackoffSeconds),
      deadlineMs: ms(filled.retryDeadlineSeconds),
    },
  }
}

/** Every option that core knows, with those that Cinder has under another name. */
function engineOptions(options: SwiftDriverOptions): ChunkedDriverOptions {
  const names = Object.keys(chunkedDriverShape) as (keyof ChunkedDriverOptions)[]
  const engine: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, options[name]]))
  for (const [name, { coreOption }] of cinderFlags) {
    if (coreOption === undefined || coreOption === 'compression') continue
    const [own, cinders] = [engine[coreOption], options[name]]
    if (own !== undefined && cinders !== undefined && own !== cinders) {
      throw invalid(
        `${coreOption} and ${name} are the same option, and have different values: set one of them.`,
      )
    }
    engine[coreOption] = own ?? cinders
  }
  engine['compression'] = compressionOf(options)
  if (options.compression) {
    // Stays readable if backupCompressionAlgorithm selects another.
    engine['decompressors'] = [options.compression, ...(options.decompressors ?? [])]
  }
  return withoutUndefined(engine)
}

function compressionOf(options: SwiftDriverOptions): Compressor | undefined {
  const { backupCompressionAlgorithm: algorithm, compression, decompressors = [] } = options
  if (algorithm === undefined) return compression
  const wanted = algorithm.toLowerCase()
  if (['none', 'off', 'no'].includes(wanted)) return undefined
  const candidates = [...(compression ? [compression] : []), ...decompressors]
  const found =
    candidates.find(({ name }) => name === wanted) ??
    // An alias writes the same stream: to Cinder gzip is zlib.
    candidates.find(({ aliases }) => aliases.includes(wanted))
  if (found) return found
  const family = { gzip: 'zlib', bzip2: 'bz2' }[wanted] ?? wanted
  const { flag } = cinderOptions.backupCompressionAlgorithm
  throw invalid(
    `backupCompressionAlgorithm (${flag}) is ${algorithm}, and no such compressor is among compression and ` +
      `decompressors: install @stowage/compression-${family} and pass its compressor as compression.`,
  )
}

function fileOf(path: string | undefined, option: string): string | undefined {
  return path === undefined
    ? undefined
    : readTextFile(path, `the file ${path} of ${option}`, 'OPTION_INVALID')
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

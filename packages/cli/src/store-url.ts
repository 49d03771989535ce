import { fileURLToPath } from 'node:url'
import type { ChunkedBackupDriver, ChunkedDriverOptions } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** A backend that the command can open. Its package is imported when a URL has its scheme. */
interface StoreScheme {
  /** The scheme of the URL, without the colon. */
  readonly scheme: string
  /** The syntax of its URLs, for help and messages. */
  readonly example: string
  /** Checks the URL and returns a function that opens it. Must not access the store. */
  readonly locate: (url: string) => OpenStore
}

/** The schemes of `--store`. A new backend is one entry here. */
const schemes: readonly StoreScheme[] = [
  { scheme: 'posix', example: 'posix:/backups', locate: (url) => directory(posixPath(url)) },
  { scheme: 'file', example: 'file:///backups', locate: (url) => directory(filePath(url)) },
  { scheme: 'swift', example: 'swift://CONTAINER', locate: (url) => swift(url) },
]

/** The package of a scheme that is not built in. */
const packages: Readonly<Record<string, string>> = {
  s3: '@stowage/backup-s3',
}

/** The syntax of store URLs, for help. */
export const storeExamples = schemes.map(({ example }) => example).join(', ')

/** Options for opening a store beside those of the driver, mainly credentials. */
export interface StoreSources {
  /** A cloud of clouds.yaml. */
  readonly osCloud?: string | undefined
  /** The path of a cinder.conf. */
  readonly cinderConf?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Makes the store if there is none. @default false */
  readonly create?: boolean | undefined
  /** Timeouts and retries of a network store. A directory has no requests to retry. */
  readonly network?: NetworkLimits
}

/** Timeouts and retries of a network store. */
export interface NetworkLimits {
  /** How long the store may send nothing, in milliseconds. */
  readonly timeoutMs?: number | undefined
  readonly retries?: number | undefined
  readonly retryDeadlineMs?: number | undefined
}

/** A store whose URL is valid, not yet opened. */
export type OpenStore = (
  options: ChunkedDriverOptions,
  sources?: StoreSources,
) => Promise<ChunkedBackupDriver>

/**
 * Parses a store URL.
 *
 * @throws CliError `USAGE` where there is none or it is malformed, `STORE_UNKNOWN` for an unknown scheme
 */
export function parseStoreUrl(url: string | undefined): OpenStore {
  if (url === undefined || url === '') {
    throw new CliError('USAGE', 'Cannot open a store: --store is not set.', {
      exitCode: exitCodes.usage,
      hint: `Add --store URL (${storeExamples}), or set STOWAGE_STORE.`,
    })
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    throw new CliError('USAGE', `"${url}" is not a store URL: it has no scheme.`, {
      exitCode: exitCodes.usage,
      hint: `For a directory, say posix:${url}`,
    })
  }
  const found = schemes.find((one) => one.scheme === scheme)
  if (!found) throw unknownScheme(scheme)
  return found.locate(url)
}

function unknownScheme(scheme: string): CliError {
  const packageName = packages[scheme]
  const message =
    packageName === undefined
      ? `No backend is known for "${scheme}:".`
      : `This stowage does not open "${scheme}:" stores: their backend is the package ${packageName}.`
  return new CliError('STORE_UNKNOWN', message, {
    exitCode: exitCodes.usage,
    hint: `Stores it opens: ${storeExamples}.`,
  })
}

/** `posix:` takes the path unescaped: a `%` is a `%`. */
function posixPath(url: string): string {
  const rest = url.slice(url.indexOf(':') + 1)
  const path = rest.startsWith('//') ? rest.slice(2) : rest
  if (path === '') throw malformed(url, 'it names no directory')
  if (rest.startsWith('//') && !path.startsWith('/')) throw malformed(url, 'posix: has no host')
  return path
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw malformed(url, cause instanceof Error ? cause.message : 'not a file URL', cause)
  }
}

function malformed(url: string, why: string, cause?: unknown): CliError {
  return new CliError('USAGE', `"${url}" is not a store URL: ${why}.`, {
    exitCode: exitCodes.usage,
    hint: `For a directory, use posix:/backups or posix:relative/path.`,
    cause,
  })
}

function directory(path: string): OpenStore {
  return async (options, { create } = {}) => {
    const { getBackupDriver } = await import('@stowage/backup-posix')
    return getBackupDriver({ ...options, path, ...(create === undefined ? {} : { create }) })
  }
}

function swift(url: string): OpenStore {
  if (!/^swift:(?:\/\/)?[^/?#]*\/?$/i.test(url)) {
    throw new CliError('USAGE', `"${url}" is not a store URL: swift: takes the name of one container.`, {
      exitCode: exitCodes.usage,
      hint: 'Use swift://CONTAINER, or swift: for the default one; a slash or a % in the name is written %2F or %25.',
    })
  }
  return async (options, { osCloud, cinderConf, env, create, network = {} } = {}) => {
    const { getBackupDriverForUrl } = await import('@stowage/backup-swift')
    return getBackupDriverForUrl(url, {
      ...options,
      ...swiftLimits(network),
      // An explicit option takes precedence, also `none`.
      backupCompressionAlgorithm: options.compression?.name ?? 'none',
      ...(osCloud === undefined ? {} : { cloud: osCloud }),
      ...(cinderConf === undefined ? {} : { cinderConf }),
      ...(env === undefined ? {} : { env }),
      // Containers are created by default; this overrides a cinder.conf that forbids it.
      ...(create === true ? { backupCreateContainers: true } : {}),
    })
  }
}

/** The connect timeout: the driver's default, or less where `--timeout` is less. */
function swiftLimits({ timeoutMs, retries, retryDeadlineMs }: NetworkLimits): Record<string, number> {
  const timeoutSeconds = (timeoutMs ?? 0) / 1000
  return {
    ...(timeoutMs === undefined
      ? {}
      : {
          connectTimeoutSeconds: Math.min(10, timeoutSeconds),
          headersTimeoutSeconds: timeoutSeconds,
          bodyTimeoutSeconds: timeoutSeconds,
          progressWindowSeconds: timeoutSeconds,
          // The driver's default, or the longest wait for the head and within the body.
          exchangeTimeoutSeconds: Math.max(600, 2 * timeoutSeconds),
        }),
    ...(retries === undefined ? {} : { backupSwiftRetryAttempts: retries }),
    ...(retryDeadlineMs === undefined ? {} : { retryDeadlineSeconds: retryDeadlineMs / 1000 }),
  }
}

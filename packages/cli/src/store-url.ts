import { fileURLToPath } from 'node:url'
import type { ChunkedBackupDriver, ChunkedDriverOptions } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** A backend that the command can open. Its package is imported when a URL of its scheme is met, and not before. */
interface StoreScheme {
  /** What the URL begins with, without the colon. */
  readonly scheme: string
  /** How its URLs look, for help and messages. */
  readonly example: string
  /** Checks the URL and returns what opens it. Must not touch the store. */
  readonly locate: (url: string) => (options: ChunkedDriverOptions) => Promise<ChunkedBackupDriver>
}

/** Every scheme that `--store` takes. A new backend is one entry here. */
const schemes: readonly StoreScheme[] = [
  { scheme: 'posix', example: 'posix:/backups', locate: (url) => directory(posixPath(url)) },
  { scheme: 'file', example: 'file:///backups', locate: (url) => directory(filePath(url)) },
]

/** Where a scheme that is not built in would come from. */
const packages: Readonly<Record<string, string>> = {
  swift: '@stowage/backup-swift',
  s3: '@stowage/backup-s3',
}

/** How store URLs look, for help. */
export const storeExamples = schemes.map(({ example }) => example).join(', ')

/** A store that was named and found well-formed, and not yet opened. */
export type OpenStore = (options: ChunkedDriverOptions) => Promise<ChunkedBackupDriver>

/**
 * Reads a store URL.
 *
 * @throws CliError `USAGE` where there is none or it is malformed, `STORE_UNKNOWN` for an unknown scheme
 */
export function parseStoreUrl(url: string | undefined): OpenStore {
  if (url === undefined || url === '') {
    throw new CliError('USAGE', 'No store is named.', {
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

/** `posix:` takes the path as it stands, so that no name needs escaping: a `%` is a `%`. */
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
    hint: `For a directory, say posix:/backups or posix:relative/path.`,
    cause,
  })
}

function directory(path: string): OpenStore {
  return async (options) => {
    const { getBackupDriver } = await import('@stowage/backup-posix')
    return getBackupDriver({ ...options, path })
  }
}

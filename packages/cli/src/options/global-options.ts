import { parseDuration } from '../durations.js'
import { bz2Engines } from '../plugins/own-packages.js'
import type { Bz2Engine } from '../plugins/own-packages.js'
import { parsePackageChoice } from '../plugins/package-choice.js'
import type { PackageChoice } from '../plugins/package-choice.js'
import { parseSize, sizeSyntax } from '../sizes.js'
import { CliOption } from './option.js'

/** Options of every command. Those of the store's backend are beside them, by the names of its flags. */
export interface GlobalOptions {
  readonly store?: string
  readonly backend?: readonly PackageChoice[]
  readonly compressor?: readonly PackageChoice[]
  readonly json?: boolean
  readonly quiet?: boolean
  readonly concurrency?: number
  readonly maxMemory?: number
  readonly strict?: 'cinder'
  readonly bz2Engine?: Bz2Engine
  /** Milliseconds. */
  readonly timeout?: number
  readonly retries?: number
  /** Milliseconds. */
  readonly retryDeadline?: number
}

export function globalOptions(): CliOption[] {
  return [
    new CliOption('--store <url>', 'the store, such as posix:/backups or swift://CONTAINER', {
      env: 'STOWAGE_STORE',
    }),
    new CliOption(
      '--config <file>',
      'a configuration file (default: stowage.config.*, ~/.config/stowage/config.* or /etc/stowage/config.*)',
      { env: 'STOWAGE_CONFIG' },
    ),
    new CliOption('--json', 'print one JSON document; errors and warnings are JSON on stderr', {
      env: 'STOWAGE_JSON',
    }),
    new CliOption('-q, --quiet', 'no progress and no notes; results are ids only', {
      env: 'STOWAGE_QUIET',
    }),
    new CliOption(
      '--concurrency <n>',
      'chunks processed concurrently (default: 2 to 8, one per core, at least 4 if streamed; 8 for objects up to 256 KiB)',
      {
        env: 'STOWAGE_CONCURRENCY',
        parse: parseCount,
      },
    ),
    new CliOption(
      '--max-memory <size>',
      `the maximum size of all chunk buffers (default: a quarter of memory)`,
      {
        env: 'STOWAGE_MAX_MEMORY',
        parse: parsePositiveSize,
      },
    ),
    new CliOption('--strict <mode>', 'reject what Cinder rejects, with its messages', {
      env: 'STOWAGE_STRICT',
      choices: ['cinder'],
    }),
    new CliOption(
      '--bz2-engine <engine>',
      'the implementation of bz2 and bzip2 (default: the first that is installed)',
      {
        env: 'STOWAGE_BZ2_ENGINE',
        choices: bz2Engines,
      },
    ),
    new CliOption(
      '--backend <name=package>',
      'the package that opens stores NAME:…, or the path of a module (./my-backend.js); may be repeated',
      { env: 'STOWAGE_BACKENDS', parse: parsePackageChoice, isList: true },
    ),
    new CliOption(
      '--compressor <name=package>',
      'the package of the compression algorithm NAME, or the path of a module; may be repeated',
      { env: 'STOWAGE_COMPRESSORS', parse: parsePackageChoice, isList: true },
    ),
    new CliOption(
      '--timeout <time>',
      'how long a network store may make no or little progress before the request is retried: 30s, 5m (default: 90s)',
      { env: 'STOWAGE_TIMEOUT', parse: parseDuration },
    ),
    new CliOption('--retries <n>', 'the maximum retries of a request to a network store (default: 10)', {
      env: 'STOWAGE_RETRIES',
      parse: parseRetries,
    }),
    new CliOption(
      '--retry-deadline <time>',
      'no retry of a request begins later than this after its first attempt (default: 15m)',
      { env: 'STOWAGE_RETRY_DEADLINE', parse: parseDuration },
    ),
  ]
}

/** A size of at least a byte. */
export function parsePositiveSize(text: string): number {
  const bytes = parseSize(text)
  if (bytes === 0) throw new RangeError(`It must be more than 0. Give ${sizeSyntax}.`)
  return bytes
}

function parseRetries(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new RangeError('Give a whole number from 0 to 9999.')
  return Number(text)
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError('Give a whole number from 1 to 9999.')
  return Number(text)
}

import { BackupError, optionRules as rules, type NetworkLimits } from '@stowage/backup-core'
import type { ConnectionOptions } from './connection-pool.js'
import type { HttpTimeouts } from './exchange-watch.js'
import { option, positive, type FilledOptions, type OptionsOf } from './option-table.js'
import type { RetryPolicy } from './retry.js'
import { readTextFile } from './text-file.js'
import { withoutUndefined } from './without-undefined.js'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The options of the network that every driver over HTTP has. */
export const networkOptions = {
  /** A client certificate, PEM. Requires `clientKeyFile`. */
  clientCertFile: option<string>(rules.nonEmptyText),
  /** The private key of the client certificate, PEM. */
  clientKeyFile: option<string>(rules.nonEmptyText),
  /** The maximum backoff before a retry, unless the server sends a longer Retry-After. */
  retryMaxBackoffSeconds: positive(64),
  /** The time after the first attempt of a request beyond which no retry begins. */
  retryDeadlineSeconds: positive(900),
  /** The time limit for establishing a connection. */
  connectTimeoutSeconds: positive(10),
  /** The time limit for the server to accept more of a request, or to begin its response. */
  headersTimeoutSeconds: positive(90),
  /** The maximum pause within a response. */
  bodyTimeoutSeconds: positive(60),
  /** The minimum average throughput over `progressWindowSeconds`, in either direction. A slower exchange fails, and is retried. */
  minBytesPerSecond: positive(1024),
  /** The time over which `minBytesPerSecond` is measured. */
  progressWindowSeconds: positive(60),
  /**
   * The time limit for a request with its response, including interim responses. Bodies extend it by the time that they
   * take at `minBytesPerSecond`.
   */
  exchangeTimeoutSeconds: positive(600),
}

/** {@link networkOptions} as a caller passes them. */
export type NetworkOptions = OptionsOf<typeof networkOptions>

/** The time limits that a program such as the `stowage` command sets, as options of a driver. */
export function timeLimitsOf({ timeoutMs, retryDeadlineMs }: NetworkLimits): NetworkOptions {
  const timeoutSeconds = (timeoutMs ?? 0) / 1000
  return {
    ...(timeoutMs === undefined
      ? {}
      : {
          // The default, or less where the user's limit is less.
          connectTimeoutSeconds: Math.min(networkOptions.connectTimeoutSeconds.default, timeoutSeconds),
          headersTimeoutSeconds: timeoutSeconds,
          bodyTimeoutSeconds: timeoutSeconds,
          progressWindowSeconds: timeoutSeconds,
          // The default, or the longest wait for the head and within the body.
          exchangeTimeoutSeconds: Math.max(networkOptions.exchangeTimeoutSeconds.default, 2 * timeoutSeconds),
        }),
    ...(retryDeadlineMs === undefined ? {} : { retryDeadlineSeconds: retryDeadlineMs / 1000 }),
  }
}

/** What a driver adds to {@link networkOptions} under names of its own. */
export interface OwnNetworkOptions {
  /** A PEM file with the authorities to trust, and the name of the option for an error. */
  readonly caCertFile: { readonly path: string | undefined; readonly option: string }
  readonly insecure: boolean
  readonly retries: number
  readonly backoffSeconds: number
  /** The environment with the proxies. @default process.env */
  readonly env: Environment | undefined
}

/** What {@link HttpClient} takes. */
export interface NetworkSettings {
  readonly connection: ConnectionOptions
  readonly timeouts: HttpTimeouts
  readonly retry: RetryPolicy
}

/**
 * The settings of a client, with the certificates read from their files.
 *
 * @throws `OPTION_INVALID` for a file that cannot be read, or a client certificate without its key
 */
export function networkSettings(
  filled: FilledOptions<typeof networkOptions>,
  { caCertFile, insecure, retries, backoffSeconds, env }: OwnNetworkOptions,
): NetworkSettings {
  if ((filled.clientCertFile === undefined) !== (filled.clientKeyFile === undefined)) {
    throw new BackupError(
      'OPTION_INVALID',
      'Only one of clientCertFile and clientKeyFile is set: a client certificate requires both.',
    )
  }
  const ms = (seconds: number): number => seconds * 1000
  const connectMs = ms(filled.connectTimeoutSeconds)
  return {
    connection: {
      insecure,
      connectTimeoutMs: connectMs,
      env: env ?? process.env,
      ...withoutUndefined({
        caCertificates: fileOf(caCertFile.path, caCertFile.option),
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
      retries,
      backoffMs: ms(backoffSeconds),
      maxBackoffMs: ms(filled.retryMaxBackoffSeconds),
      deadlineMs: ms(filled.retryDeadlineSeconds),
      deadlineName: 'retryDeadlineSeconds',
    },
  }
}

function fileOf(path: string | undefined, option: string): string | undefined {
  return path === undefined
    ? undefined
    : readTextFile(path, `the file ${path} of ${option}`, 'OPTION_INVALID')
}

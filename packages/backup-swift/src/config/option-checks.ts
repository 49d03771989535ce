import {
  BackupError,
  checkOptions,
  chunkedDriverShape,
  optionRules as rules,
  type OptionRule,
  type OptionShape,
} from '@stowage/backup-core'
import { cinderFlags, type CinderFlag } from './cinder-flags.js'
import type { CinderSwiftOptions, SwiftContext, SwiftDriverOptions } from './options.js'
import type { SwiftStoreOptions } from '../get-backup-driver.js'

const positiveNumbers = [
  'retryMaxBackoffSeconds',
  'retryDeadlineSeconds',
  'connectTimeoutSeconds',
  'headersTimeoutSeconds',
  'bodyTimeoutSeconds',
  'claimSettleSeconds',
  'minBytesPerSecond',
  'progressWindowSeconds',
  'exchangeTimeoutSeconds',
] as const satisfies readonly (keyof SwiftDriverOptions)[]

/**
 * Checks every option for its kind: what comes from a configuration file or from plain JavaScript has no types.
 *
 * @throws `OPTION_INVALID`
 */
export function checkTypes(options: SwiftDriverOptions): void {
  const values: Readonly<Record<string, unknown>> = { ...options }
  for (const flag of cinderFlags) checkFlag(flag, values[flag.option])
  for (const name of positiveNumbers) {
    const value = values[name]
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value > 0)) {
      throw invalid(`${name} has to be a number above 0.`)
    }
  }
  if (options.search !== undefined && !['account', 'container'].includes(options.search)) {
    throw invalid('search has to be account or container.')
  }
  if ((options.clientCertFile === undefined) !== (options.clientKeyFile === undefined)) {
    throw invalid('clientCertFile and clientKeyFile are needed together.')
  }
}

function checkFlag(flag: CinderFlag, value: unknown): void {
  if (value === undefined) return
  const name = `${flag.option} (${flag.flag})`
  if (flag.type === 'integer') {
    // A wait of zero, and no retry at all, are choices; a size of zero is none.
    const least = flag.unit === 'bytes' ? 1 : 0
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      // A wait may be a fraction of a second.
      if (flag.unit === 'seconds' && typeof value === 'number' && Number.isFinite(value) && value >= 0) return
      throw invalid(`${name} has to be a whole number, at least ${least}.`)
    }
    return
  }
  if (flag.type === 'boolean') {
    if (typeof value !== 'boolean') throw invalid(`${name} has to be true or false.`)
    return
  }
  if (typeof value !== 'string' || value === '') throw invalid(`${name} has to be a text, and not empty.`)
  if (flag.choices && !flag.choices.includes(value)) {
    throw invalid(`${name} has to be one of ${flag.choices.join(', ')}.`)
  }
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}

/** Of these the value is checked with the flag that each stands for, or together with others. */
const checkedLater: OptionRule = { expected: 'of its kind', accepts: () => true }

const flagShape = Object.fromEntries(
  cinderFlags.map(({ option }) => [option, checkedLater]),
) as OptionShape<CinderSwiftOptions>

const contextShape: OptionShape<SwiftContext> = {
  authToken: rules.required(rules.text),
  projectId: rules.text,
  serviceCatalog: checkedLater,
  expiresAt: { expected: 'a Date', accepts: (value) => value instanceof Date },
  renewToken: rules.callback,
}

const methods = ['v1', 'keystone-v2', 'password', 'token', 'application-credential', 'given-token']

const credentials: OptionRule = {
  expected: `an object with a method of ${methods.join(', ')}, and what that takes`,
  accepts: (value) => {
    if (!rules.object.accepts(value)) return false
    const { method, authUrl, token } = value as Readonly<Record<string, unknown>>
    return (
      methods.some((one) => one === method) &&
      typeof (method === 'given-token' ? token : authUrl) === 'string'
    )
  },
}

const driverShape: OptionShape<SwiftDriverOptions> = {
  ...chunkedDriverShape,
  ...flagShape,
  context: rules.object,
  credentials,
  tokenProvider: rules.withMethods('an object with authenticate()', ['authenticate']),
  serviceCredentials: credentials,
  storageUrl: rules.nonEmptyText,
  search: rules.oneOf('account', 'container'),
  clientCertFile: rules.nonEmptyText,
  clientKeyFile: rules.nonEmptyText,
  retryMaxBackoffSeconds: checkedLater,
  retryDeadlineSeconds: checkedLater,
  connectTimeoutSeconds: checkedLater,
  headersTimeoutSeconds: checkedLater,
  bodyTimeoutSeconds: checkedLater,
  claimSettleSeconds: checkedLater,
  minBytesPerSecond: checkedLater,
  progressWindowSeconds: checkedLater,
  exchangeTimeoutSeconds: checkedLater,
  env: rules.object,
}

const storeShape: OptionShape<SwiftStoreOptions> = {
  ...driverShape,
  cloud: rules.nonEmptyText,
  cinderConf: rules.text,
}

/** Refuses unknown options and wrong kinds. @throws `OPTION_INVALID` */
export function checkDriverOptions(options: SwiftDriverOptions): void {
  checkOptions('the options of SwiftBackupDriver', options, driverShape)
  if (options.context !== undefined) checkOptions('the option `context`', options.context, contextShape)
}

/** The same for `getBackupDriver`, before other sources of options are read. */
export function checkStoreOptions(options: SwiftStoreOptions): void {
  checkOptions('the options of getBackupDriver()', options, storeShape)
}

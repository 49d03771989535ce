import { checkOptions, chunkedDriverShape, optionRules as rules } from '@stowage/backup-core'
import type { OptionRule, OptionShape } from '@stowage/backup-core'
import type { SwiftStoreOptions } from '../get-backup-driver.js'
import { cinderFlags } from './cinder-flags.js'
import type { CinderSwiftOptions, SwiftContext, SwiftDriverOptions } from './options.js'

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

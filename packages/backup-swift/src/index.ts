export { SwiftBackupDriver } from './driver.js'
export { containerOfUrl, getBackupDriver, getBackupDriverForUrl } from './get-backup-driver.js'
export type { SwiftStoreOptions } from './get-backup-driver.js'
export { SwiftObjectReader } from './objects.js'
export { SwiftObjectWriter } from './objects.js'
export { cinderFlags } from './config/cinder-flags.js'
export type { CinderFlag, CinderOptionName, FlagType } from './config/cinder-flags.js'
export { fromCinderConf } from './config/cinder-conf.js'
export { fromCloudsYaml } from './config/clouds-yaml.js'
export type { CloudsYamlOptions } from './config/clouds-yaml.js'
export { fromEnvironment } from './config/environment.js'
export type { Environment } from './config/environment.js'
export type { CinderSwiftOptions, SwiftContext, SwiftDriverOptions } from './config/options.js'
export type {
  ApplicationCredentials,
  DomainReference,
  GivenToken,
  KeystoneScope,
  KeystoneV2Credentials,
  PasswordCredentials,
  RenewedToken,
  SwiftCredentials,
  TokenCredentials,
  V1Credentials,
} from './auth/credentials.js'
export type { AuthenticateOptions, SwiftAccess, TokenProvider } from './auth/credentials.js'
export type { RetryEvent } from '@stowage/backup-core'

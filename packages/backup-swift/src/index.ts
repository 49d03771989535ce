export { SwiftBackupDriver } from './driver.js'
export { getBackupDriver, getBackupDriverForUrl } from './get-backup-driver.js'
export { SwiftObjectReader, SwiftObjectWriter } from './objects.js'
export { fromCinderConf } from './config/cinder-conf.js'
export { fromCloudsYaml, type CloudsYamlOptions } from './config/clouds-yaml.js'
export { fromEnvironment } from './config/environment.js'
export type { Environment } from '@stowage/http'
export type { CinderSwiftOptions, SwiftDriverOptions, SwiftStoreOptions } from './config/options.js'
export type {
  ApplicationCredentials,
  AuthenticateOptions,
  DomainReference,
  GivenToken,
  KeystoneScope,
  KeystoneV2Credentials,
  PasswordCredentials,
  RenewedToken,
  SwiftAccess,
  SwiftContext,
  SwiftCredentials,
  TokenCredentials,
  TokenProvider,
  V1Credentials,
} from './auth/credentials.js'
export { stowageBackend } from './stowage-backend.js'

import { checkOptions, chunkedDriverShape, optionRules as rules } from '@stowage/backup-core'
import type { ChunkedDriverOptions, OptionRule, OptionShape } from '@stowage/backup-core'
import {
  booleanFlag as boolean,
  choiceFlag as oneOf,
  commonFlags,
  integerFlag as integer,
  secondsFlag as seconds,
  textFlag as text,
  type AnyCinderFlag,
} from '@stowage/cinder-conf'
import {
  choice,
  networkOptions,
  option,
  positive,
  rulesOf,
  type Environment,
  type FilledOptions as Filled,
  type OptionsOf,
} from '@stowage/http'
import type { SwiftContext, SwiftCredentials, TokenProvider } from '../auth/credentials.js'

/*
 * The tables of the options. The types, the checks, the defaults, the reading of a cinder.conf and the tables of the
 * README and of docs/from-cinder.md follow from them: a test compares the comments here with the documents.
 */

/** Every flag that Cinder's Swift driver reads. */
export const cinderOptions = {
  /** The URL of the Swift endpoint, to which the project id is appended unchanged: it ends in `AUTH_`. */
  backupSwiftUrl: text('backup_swift_url'),
  /** The URL of Keystone, or of auth version 1. If unset, it is taken from the catalog of `context`. */
  backupSwiftAuthUrl: text('backup_swift_auth_url'),
  /** Selects the Swift endpoint in the catalog: `<service_type>:<service_name>:<endpoint_type>`. */
  swiftCatalogInfo: text('swift_catalog_info', 'object-store:swift:publicURL'),
  /** Selects the Keystone endpoint in the catalog: `<service_type>:<service_name>:<endpoint_type>`. */
  keystoneCatalogInfo: text('keystone_catalog_info', 'identity:Identity Service:publicURL'),
  /** Selects the account: `per_user` uses the token in `context`, `single_user` the user in these options. */
  backupSwiftAuth: oneOf('backup_swift_auth', ['per_user', 'single_user'], 'per_user'),
  /** How `single_user` signs in: auth version 1, Keystone v2.0 or Keystone v3. */
  backupSwiftAuthVersion: oneOf(
    'backup_swift_auth_version',
    ['1', '2', '3'],
    '1',
    (version) => /^v?([123])(?:\.0)?$/.exec(version)?.[1] ?? (version || undefined),
  ),
  /** The tenant name, for auth version 2. */
  backupSwiftTenant: text('backup_swift_tenant'),
  /** The user name; for auth version 1 `account:user`. */
  backupSwiftUser: text('backup_swift_user'),
  /** The key or password. */
  backupSwiftKey: text('backup_swift_key', undefined, { secret: true }),
  /** The name of the user's domain, for auth version 3. If unset, the domain with the id `default`. */
  backupSwiftUserDomain: text('backup_swift_user_domain'),
  /** The name of the project's domain, for auth version 3. If unset, the domain with the id `default`. */
  backupSwiftProjectDomain: text('backup_swift_project_domain'),
  /** The project name, for auth version 3. */
  backupSwiftProject: text('backup_swift_project'),
  /** The container for backups that name none. The same as `container`. */
  backupSwiftContainer: text('backup_swift_container', 'volumebackups', { coreOption: 'container' }),
  /** The storage policy of new containers. An existing container keeps its own. */
  backupSwiftCreateStoragePolicy: text('backup_swift_create_storage_policy'),
  /** The maximum number of bytes of the volume in one object. The same as `chunkSizeBytes`. */
  backupSwiftObjectSize: integer('backup_swift_object_size', 52_428_800, 1, {
    unit: 'bytes',
    coreOption: 'chunkSizeBytes',
  }),
  /** The granularity of change detection. The same as `blockSizeBytes`. */
  backupSwiftBlockSize: integer('backup_swift_block_size', 32_768, 1, {
    unit: 'bytes',
    coreOption: 'blockSizeBytes',
  }),
  /** The maximum number of retries of a request. (Cinder's default today is 3.) */
  backupSwiftRetryAttempts: integer('backup_swift_retry_attempts', 10, 0, { unit: 'attempts' }),
  /** The first backoff; it doubles up to `retryMaxBackoffSeconds`, less jitter. (Cinder's default today is 2.) */
  backupSwiftRetryBackoff: seconds('backup_swift_retry_backoff', 10),
  /** Cinder's periodic notification to Ceilometer. Accepted without effect; `onProgress` reports instead. */
  backupSwiftEnableProgressTimer: boolean('backup_swift_enable_progress_timer', true),
  /** A PEM file with the trusted CA certificates, for Swift and Keystone. */
  backupSwiftCaCertFile: text('backup_swift_ca_cert_file'),
  /** Accepts any certificate, of Swift and of Keystone, with one warning. */
  backupSwiftAuthInsecure: boolean('backup_swift_auth_insecure', false),
  /** Also sends `X-Service-Token`, obtained with `serviceCredentials` (group `[service_user]`). */
  backupSwiftServiceAuth: boolean('backup_swift_service_auth', false),
  /** The region in the catalog. Required if Swift is in several regions; an unknown region is an error. */
  backupSwiftRegionName: text('backup_swift_region_name'),
  ...commonFlags,
}

const methods = ['v1', 'keystone-v2', 'password', 'token', 'application-credential', 'given-token']

const credentials: OptionRule = {
  expected: `an object whose method is one of ${methods.join(', ')}, with the fields of that method`,
  accepts: (value) => {
    if (!rules.object.accepts(value)) return false
    const { method, authUrl, token } = value as Readonly<Record<string, unknown>>
    return (
      methods.some((one) => one === method) &&
      typeof (method === 'given-token' ? token : authUrl) === 'string'
    )
  },
}

/** The other options of the Swift driver. */
export const swiftOptions = {
  /** The caller's token and catalog, for `backupSwiftAuth: 'per_user'`. */
  context: option<SwiftContext>(rules.object),
  /** Any of the ways to sign in. Overrides Cinder's options. */
  credentials: option<SwiftCredentials>(credentials),
  /** A custom way to sign in. Overrides all others. */
  tokenProvider: option<TokenProvider>(rules.withMethods('an object with authenticate()', ['authenticate'])),
  /** Signs in the user of the service token (`backupSwiftServiceAuth`). */
  serviceCredentials: option<SwiftCredentials>(credentials),
  /** The complete URL of the account. If unset, it is derived from `backupSwiftUrl` or found in the catalog. */
  storageUrl: option<string>(rules.nonEmptyText),
  /**
   * Where backups are searched by id: in all containers of the `account`, or in the driver's own `container` only (the
   * default for `swift://CONTAINER`), which then accepts no backup into another container. A delete always searches the
   * account for incrementals.
   */
  search: choice(['account', 'container'], 'account'),
  ...networkOptions,
  /**
   * The delay before the object that prevents two backups with one id is checked again: Swift cannot lock a name. Choose
   * it longer than the cluster takes to store a small object under load. Meanwhile the volume is read, and the first objects
   * are sent but for their last bytes.
   */
  claimSettleSeconds: positive(1),
  /** The environment variables that are read (`http_proxy`, `https_proxy`, `no_proxy`, `OS_*`, `ST_*`). If unset, `process.env`. */
  env: option<Environment>(rules.object),
}

/** The sources of options that `getBackupDriver` reads. */
export const sourceOptions = {
  /** A cloud of clouds.yaml to sign in to. If unset, `OS_CLOUD`, unless other options say how to sign in. */
  cloud: option<string>(rules.nonEmptyText),
  /** A cinder.conf: its path, or its text. */
  cinderConf: option<string>(rules.text),
}

/** Cinder's flags as options, in camel case. */
export type CinderSwiftOptions = OptionsOf<typeof cinderOptions>

/** All options of a {@link SwiftBackupDriver}. */
export interface SwiftDriverOptions
  extends ChunkedDriverOptions, CinderSwiftOptions, OptionsOf<typeof swiftOptions> {}

/** The options of `getBackupDriver`: those of the driver, and where to read others. */
export interface SwiftStoreOptions extends SwiftDriverOptions, OptionsOf<typeof sourceOptions> {}

/** The flags with the names of their options. */
export const cinderFlags = Object.entries(cinderOptions) as readonly [
  keyof CinderSwiftOptions,
  AnyCinderFlag,
][]

/** The options of this driver with their defaults. */
export type FilledOptions = Filled<typeof cinderOptions & typeof swiftOptions>

const driverShape = { ...chunkedDriverShape, ...rulesOf(cinderOptions), ...rulesOf(swiftOptions) }

const storeShape = { ...driverShape, ...rulesOf(sourceOptions) }

const contextShape: OptionShape<SwiftContext> = {
  authToken: rules.required(rules.nonEmptyText),
  projectId: rules.text,
  // Its shape is checked when it is read: CATALOG_INVALID.
  serviceCatalog: { expected: 'a service catalog', accepts: () => true },
  expiresAt: { expected: 'a Date', accepts: (value) => value instanceof Date },
  renewToken: rules.callback,
}

/** Rejects unknown options and invalid values. @throws `OPTION_INVALID` */
export function checkDriverOptions(options: SwiftDriverOptions): void {
  checkOptions('the options of SwiftBackupDriver', options, driverShape)
  if (options.context !== undefined) checkOptions('the option `context`', options.context, contextShape)
}

/** The same for `getBackupDriver`, before other sources of options are read. */
export function checkStoreOptions(options: SwiftStoreOptions): void {
  checkOptions('the options of getBackupDriver()', options, storeShape)
}

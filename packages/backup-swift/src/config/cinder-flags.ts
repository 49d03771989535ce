/** How a flag's text is read. */
export type FlagType = 'text' | 'integer' | 'boolean'

/** One of Cinder's flags, as its documentation has it, and the option that it is here. */
export interface CinderFlag {
  readonly flag: string
  readonly option: string
  readonly type: FlagType
  /** What holds where nothing is said; null for nothing. */
  readonly default: string | number | boolean | null
  readonly unit?: 'bytes' | 'seconds' | 'attempts' | 'objects'
  /** The values it takes, where they are few. */
  readonly choices?: readonly string[]
  readonly secret?: true
  readonly meaning: string
}

/** Every flag that Cinder's Swift driver reads. The option's name is the flag's, in camel case. */
export const cinderFlags = [
  {
    flag: 'backup_swift_url',
    option: 'backupSwiftUrl',
    type: 'text',
    default: null,
    meaning:
      'The URL of the Swift endpoint, to which the project’s id is appended as it is: it ends in `AUTH_`.',
  },
  {
    flag: 'backup_swift_auth_url',
    option: 'backupSwiftAuthUrl',
    type: 'text',
    default: null,
    meaning: 'The URL of Keystone, or of auth version 1. Without it, per_user’s catalog is asked.',
  },
  {
    flag: 'swift_catalog_info',
    option: 'swiftCatalogInfo',
    type: 'text',
    default: 'object-store:swift:publicURL',
    meaning: 'Which endpoint of the catalog is Swift’s: `<service_type>:<service_name>:<endpoint_type>`.',
  },
  {
    flag: 'keystone_catalog_info',
    option: 'keystoneCatalogInfo',
    type: 'text',
    default: 'identity:Identity Service:publicURL',
    meaning: 'Which endpoint of the catalog is Keystone’s: `<service_type>:<service_name>:<endpoint_type>`.',
  },
  {
    flag: 'backup_swift_auth',
    option: 'backupSwiftAuth',
    type: 'text',
    default: 'per_user',
    choices: ['per_user', 'single_user'],
    meaning: 'Whose account is used: that of the token in `context`, or that of the user in these options.',
  },
  {
    flag: 'backup_swift_auth_version',
    option: 'backupSwiftAuthVersion',
    type: 'text',
    default: '1',
    choices: ['1', '2', '3'],
    meaning: 'How single_user signs in: auth version 1, Keystone v2.0 or Keystone v3.',
  },
  {
    flag: 'backup_swift_tenant',
    option: 'backupSwiftTenant',
    type: 'text',
    default: null,
    meaning: 'The tenant’s name, for auth version 2.',
  },
  {
    flag: 'backup_swift_user',
    option: 'backupSwiftUser',
    type: 'text',
    default: null,
    meaning: 'The user’s name; for auth version 1 `account:user`.',
  },
  {
    flag: 'backup_swift_key',
    option: 'backupSwiftKey',
    type: 'text',
    default: null,
    secret: true,
    meaning: 'The key or password.',
  },
  {
    flag: 'backup_swift_user_domain',
    option: 'backupSwiftUserDomain',
    type: 'text',
    default: null,
    meaning:
      'The name of the user’s domain, for auth version 3. Without it, the domain with the id `default`.',
  },
  {
    flag: 'backup_swift_project_domain',
    option: 'backupSwiftProjectDomain',
    type: 'text',
    default: null,
    meaning:
      'The name of the project’s domain, for auth version 3. Without it, the domain with the id `default`.',
  },
  {
    flag: 'backup_swift_project',
    option: 'backupSwiftProject',
    type: 'text',
    default: null,
    meaning: 'The project’s name, for auth version 3.',
  },
  {
    flag: 'backup_swift_container',
    option: 'backupSwiftContainer',
    type: 'text',
    default: 'volumebackups',
    meaning: 'The container for backups that name none. The same as `container`.',
  },
  {
    flag: 'backup_swift_create_storage_policy',
    option: 'backupSwiftCreateStoragePolicy',
    type: 'text',
    default: null,
    meaning: 'The storage policy of containers that are created. One that is there keeps its own.',
  },
  {
    flag: 'backup_swift_object_size',
    option: 'backupSwiftObjectSize',
    type: 'integer',
    default: 52428800,
    unit: 'bytes',
    meaning: 'The most bytes of the volume in one object. The same as `chunkSizeBytes`.',
  },
  {
    flag: 'backup_swift_block_size',
    option: 'backupSwiftBlockSize',
    type: 'integer',
    default: 32768,
    unit: 'bytes',
    meaning: 'The size at which changes are found. The same as `blockSizeBytes`.',
  },
  {
    flag: 'backup_swift_retry_attempts',
    option: 'backupSwiftRetryAttempts',
    type: 'integer',
    default: 10,
    unit: 'attempts',
    meaning: 'How often a request is repeated. (Cinder’s default today is 3.)',
  },
  {
    flag: 'backup_swift_retry_backoff',
    option: 'backupSwiftRetryBackoff',
    type: 'integer',
    default: 10,
    unit: 'seconds',
    meaning: 'The first wait; it doubles up to 64, less some jitter. (Cinder’s default today is 2.)',
  },
  {
    flag: 'backup_swift_enable_progress_timer',
    option: 'backupSwiftEnableProgressTimer',
    type: 'boolean',
    default: true,
    meaning: 'Cinder’s periodic notice to Ceilometer. Accepted; `onProgress` reports instead.',
  },
  {
    flag: 'backup_swift_ca_cert_file',
    option: 'backupSwiftCaCertFile',
    type: 'text',
    default: null,
    meaning: 'A file with the certificates of the authorities to trust, for Swift and Keystone alike.',
  },
  {
    flag: 'backup_swift_auth_insecure',
    option: 'backupSwiftAuthInsecure',
    type: 'boolean',
    default: false,
    meaning: 'Accepts any certificate, of Swift and Keystone alike, with one warning.',
  },
  {
    flag: 'backup_swift_service_auth',
    option: 'backupSwiftServiceAuth',
    type: 'boolean',
    default: false,
    meaning: 'Sends `X-Service-Token` too, got with `serviceCredentials` (group `[service_user]`).',
  },
  {
    flag: 'backup_swift_region_name',
    option: 'backupSwiftRegionName',
    type: 'text',
    default: null,
    meaning:
      'The region in the catalog. Needed where Swift is in several; one that is not there is an error.',
  },
  {
    flag: 'backup_compression_algorithm',
    option: 'backupCompressionAlgorithm',
    type: 'text',
    default: null,
    meaning:
      'The name of the compressor to use: one of those in `compression` and `decompressors`. (Cinder’s default is zlib.)',
  },
  {
    flag: 'backup_create_containers',
    option: 'backupCreateContainers',
    type: 'boolean',
    default: true,
    meaning: 'Whether a container that is missing is created.',
  },
  {
    flag: 'backup_object_number_per_notification',
    option: 'backupObjectNumberPerNotification',
    type: 'integer',
    default: 10,
    unit: 'objects',
    meaning:
      'Cinder’s notice to Ceilometer each so many objects. Accepted; `onProgress` reports each object.',
  },
  {
    flag: 'backup_timer_interval',
    option: 'backupTimerInterval',
    type: 'integer',
    default: 120,
    unit: 'seconds',
    meaning: 'The interval of Cinder’s periodic notice. Accepted; `onProgress` reports instead.',
  },
  {
    flag: 'storage_availability_zone',
    option: 'storageAvailabilityZone',
    type: 'text',
    default: 'nova',
    meaning: 'The availability zone in the names of objects: `az_<zone>_backup_<id>`.',
  },
] as const satisfies readonly CinderFlag[]

/** The names of the options that are Cinder's. */
export type CinderOptionName = (typeof cinderFlags)[number]['option']

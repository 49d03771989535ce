import type { ChunkedDriverOptions } from '@stowage/backup-core'
import type { RenewedToken, SwiftCredentials, TokenProvider } from '../auth/credentials.js'

/** Cinder's own options, in camel case: the flag's name is in each comment. */
export interface CinderSwiftOptions {
  /** `backup_swift_url`: Swift's URL, to which the project's id is appended. @default the catalog's */
  readonly backupSwiftUrl?: string
  /** `backup_swift_auth_url`: Keystone's URL, or that of auth version 1. @default the catalog's */
  readonly backupSwiftAuthUrl?: string
  /** `swift_catalog_info` @default 'object-store:swift:publicURL' */
  readonly swiftCatalogInfo?: string
  /** `keystone_catalog_info` @default 'identity:Identity Service:publicURL' */
  readonly keystoneCatalogInfo?: string
  /** `backup_swift_auth` @default 'per_user' */
  readonly backupSwiftAuth?: 'per_user' | 'single_user'
  /** `backup_swift_auth_version`, for `single_user`. @default '1' */
  readonly backupSwiftAuthVersion?: '1' | '2' | '3'
  /** `backup_swift_tenant` */
  readonly backupSwiftTenant?: string
  /** `backup_swift_user` */
  readonly backupSwiftUser?: string
  /** `backup_swift_key` */
  readonly backupSwiftKey?: string
  /** `backup_swift_user_domain`: a name. @default the domain with the id `default` */
  readonly backupSwiftUserDomain?: string
  /** `backup_swift_project_domain`: a name. @default the domain with the id `default` */
  readonly backupSwiftProjectDomain?: string
  /** `backup_swift_project`: a name. */
  readonly backupSwiftProject?: string
  /** `backup_swift_container`: the same as `container`. @default 'volumebackups' */
  readonly backupSwiftContainer?: string
  /** `backup_swift_create_storage_policy`: for containers that are created. @default the cluster's */
  readonly backupSwiftCreateStoragePolicy?: string
  /** `backup_swift_object_size`, in bytes: the same as `chunkSizeBytes`. @default 52428800 */
  readonly backupSwiftObjectSize?: number
  /** `backup_swift_block_size`, in bytes: the same as `blockSizeBytes`. @default 32768 */
  readonly backupSwiftBlockSize?: number
  /** `backup_swift_retry_attempts`: how often a request is repeated. @default 10 */
  readonly backupSwiftRetryAttempts?: number
  /** `backup_swift_retry_backoff`, in seconds: the first wait; it doubles up to 64. @default 10 */
  readonly backupSwiftRetryBackoff?: number
  /** `backup_swift_enable_progress_timer`: accepted, and of no effect. @default true */
  readonly backupSwiftEnableProgressTimer?: boolean
  /** `backup_swift_ca_cert_file`: a PEM file. @default the authorities that Node knows */
  readonly backupSwiftCaCertFile?: string
  /** `backup_swift_auth_insecure`: accepts any certificate. @default false */
  readonly backupSwiftAuthInsecure?: boolean
  /** `backup_swift_service_auth`: sends `X-Service-Token`; needs `serviceCredentials`. @default false */
  readonly backupSwiftServiceAuth?: boolean
  /** `backup_swift_region_name` @default the only one there is */
  readonly backupSwiftRegionName?: string
  /** `backup_compression_algorithm`: the word of one of the compressors given. @default that of `compression` */
  readonly backupCompressionAlgorithm?: string
  /** `backup_create_containers` @default true */
  readonly backupCreateContainers?: boolean
  /** `backup_object_number_per_notification`: accepted, and of no effect. @default 10 */
  readonly backupObjectNumberPerNotification?: number
  /** `backup_timer_interval`, in seconds: accepted, and of no effect. @default 120 */
  readonly backupTimerInterval?: number
  /** `storage_availability_zone` @default 'nova' */
  readonly storageAvailabilityZone?: string
}

/** Who asks, in `per_user` mode: what Cinder's driver takes from its request's context. */
export interface SwiftContext {
  readonly authToken: string
  /** Needed with `backupSwiftUrl`, to which it is appended. */
  readonly projectId?: string
  /** The caller's catalog, in the shape of Keystone v2 or v3. */
  readonly serviceCatalog?: unknown
  /** When the token ends. @default not known: Swift's 401 will say so */
  readonly expiresAt?: Date
  /** Gets another token for the same user. @default none: the job ends when the token does */
  readonly renewToken?: (options: { readonly signal?: AbortSignal }) => Promise<RenewedToken>
}

/** Everything that a {@link SwiftBackupDriver} can be told. */
export interface SwiftDriverOptions extends ChunkedDriverOptions, CinderSwiftOptions {
  /** For `per_user`: the caller's token and catalog. */
  readonly context?: SwiftContext
  /** Other ways of signing in than Cinder's flags know. Takes the place of them. */
  readonly credentials?: SwiftCredentials
  /** Your own way of signing in. Takes the place of all others. */
  readonly tokenProvider?: TokenProvider
  /** Who gets the service token (`backupSwiftServiceAuth`). */
  readonly serviceCredentials?: SwiftCredentials
  /** The whole URL of the account. @default found by `backupSwiftUrl` or in the catalog */
  readonly storageUrl?: string
  /**
   * Where backups are looked for by their id: in `container` alone, or in every container of the account that holds
   * one. @default 'account'; 'container' for a store that a URL with a container names
   */
  readonly search?: 'account' | 'container'
  /** A client certificate and its key, PEM files. */
  readonly clientCertFile?: string
  readonly clientKeyFile?: string
  /** The longest wait before a retry, in seconds, unless the server asks for more. @default 64 */
  readonly retryMaxBackoffSeconds?: number
  /** No retry of a request begins later than this after its first attempt, in seconds. @default 900 */
  readonly retryDeadlineSeconds?: number
  /** How long a connection may take, in seconds. @default 10 */
  readonly connectTimeoutSeconds?: number
  /** How long Swift may take to go on taking a request, or to answer it, in seconds. @default 90 */
  readonly headersTimeoutSeconds?: number
  /** How long Swift may pause within an answer, in seconds. @default 60 */
  readonly bodyTimeoutSeconds?: number
  /**
   * What Swift has to take or to send, in bytes per second, on average over `progressWindowSeconds`: a server that sends
   * a byte now and then is not silent, and never done. Far below the slowest of links. @default 1024
   */
  readonly minBytesPerSecond?: number
  /** The time over which `minBytesPerSecond` is measured, in seconds. @default 60 */
  readonly progressWindowSeconds?: number
  /**
   * How long one request and its answer may take, in seconds, whatever comes in between; bodies may take longer by the
   * time that they need at `minBytesPerSecond`. @default 600
   */
  readonly exchangeTimeoutSeconds?: number
  /**
   * How long a claim settles, in seconds: Swift cannot lock a name, so the object that keeps two backups with one id
   * apart is checked again after this time. Longer than a cluster under load takes to store an object of a few bytes.
   * @default 1
   */
  readonly claimSettleSeconds?: number
  /** Where proxies are looked for (`http_proxy`, `https_proxy`, `no_proxy`). @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
}

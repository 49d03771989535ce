import type { ChunkedBackupDriver } from './chunked-backup-driver.js'
import { optionRules as rules, isObject, type OptionRule } from './checks/check-options.js'
import { propertyProblem } from './checks/property-problem.js'
import type { BackendFlags, BackendFlagValues } from './contracts/backend-flags.js'
import type { ChunkedDriverOptions } from './contracts/options.js'

/** Time limits and retries that the user chose for stores on a network. */
export interface NetworkLimits {
  /** How long the store may make no or little progress, in milliseconds. @default the backend's */
  readonly timeoutMs?: number
  /** The maximum number of retries of a request. @default the backend's */
  readonly retries?: number
  /** No retry begins later than this after the first attempt, in milliseconds. @default the backend's */
  readonly retryDeadlineMs?: number
}

/** What a backend gets to open a store. */
export interface OpenStoreOptions<Flags extends BackendFlags = BackendFlags> {
  /** The options of every driver. Pass all of them on to the driver. */
  readonly driverOptions: ChunkedDriverOptions
  /** The values of the backend's flags that are set. */
  readonly flags: BackendFlagValues<Flags>
  /** The environment, for credentials. Use this instead of `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** A backup may make the store if it does not exist. */
  readonly create: boolean
  /** Empty where the user chose none. A store that sends no requests ignores them. */
  readonly network: NetworkLimits
}

/**
 * What a package exports as `stowageBackend`, so that the `stowage` command opens its stores: `--store NAME:…` loads
 * `@stowage/backup-NAME` or `stowage-backup-NAME`.
 *
 * Importing the package must not access a store, nor change anything in the process.
 */
export interface BackendPackage<Flags extends BackendFlags = BackendFlags> {
  /** The schemes of its URLs, without the colon, in lower case: `['s3']`. One of them is NAME of the package's name. */
  readonly schemes: readonly string[]
  /** The syntax of its URLs, for help and messages: `['s3://BUCKET']`. */
  readonly urlSyntax: readonly string[]
  /** Options of the command that only this backend has. @default none */
  readonly flags?: Flags
  /**
   * Throws `OPTION_INVALID` for a URL that does not name a store. It is called before anything else is done, and accesses
   * nothing: a malformed URL must not be noticed after a large source has been read.
   */
  checkUrl(url: string): void
  /** Makes the driver for a URL. Sends no request: the first call of the driver does. */
  open(url: string, options: OpenStoreOptions<Flags>): Promise<ChunkedBackupDriver>
}

const schemePattern = /^[a-z][a-z0-9+.-]*$/
// `--no-x` would turn `--x` off.
const flagPattern = /^(?!no-)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const kinds: readonly unknown[] = ['text', 'whole-number', 'duration', 'size', 'boolean']

const isText = (value: unknown): boolean => rules.nonEmptyText.accepts(value)

function listOf(expected: string, accepts: (value: unknown) => boolean): OptionRule {
  return {
    expected,
    required: true,
    accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(accepts),
  }
}

function isFlag([name, flag]: [string, unknown]): boolean {
  if (!flagPattern.test(name) || !isObject(flag) || !isText(flag['description'])) return false
  const { kind = 'text', valueName = '-', env = '-' } = flag
  return kinds.includes(kind) && isText(valueName) && isText(env)
}

const shape: Readonly<Record<keyof BackendPackage, OptionRule>> = {
  schemes: listOf(
    'an array of URL schemes in lower case, without the colon',
    (value) => typeof value === 'string' && schemePattern.test(value),
  ),
  urlSyntax: listOf('an array of examples of URLs', isText),
  flags: {
    expected: `an object of flags by their names in lower case (s3-endpoint), each with a description, and a kind of ${kinds.join(', ')}`,
    accepts: (value) => isObject(value) && Object.entries(value).every(isFlag),
  },
  checkUrl: rules.required(rules.callback),
  open: rules.required(rules.callback),
}

/**
 * Returns why the `stowage` command rejects the `stowageBackend` of a package; undefined where it accepts it. For the tests
 * of a backend package.
 */
export function backendPackageProblem(value: unknown): string | undefined {
  return propertyProblem(value, shape)
}

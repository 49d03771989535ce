import { BackupError, isBackupError, type StoreOptions } from '@stowage/backup-core'
import { listNames, type ListedCollection } from './listing.js'
import { containerPath } from './names.js'
import type { SwiftTransport } from './transport.js'

const concurrentProbes = 8

/** Far more than any account has: a longer listing does not end. */
const maxContainers = 1_000_000

const accountListing = { path: '', prefix: '', what: 'Listing the containers', details: {} }

/** How a container is listed. */
export type ListingPages = Pick<ListedCollection, 'pageNames' | 'maxPages'>

/** Options of {@link listContainersWith}. */
export interface ContainerSearchOptions extends StoreOptions {
  /** Leaves out no container in silence. @default false */
  readonly complete?: boolean
}

/** The names of the account's containers. */
export function listContainers(
  transport: SwiftTransport,
  options: StoreOptions = {},
): AsyncGenerator<string> {
  return listNames(transport, accountListing, options)
}

/** Whether the user may list the account's containers. */
export async function mayListContainers(
  transport: SwiftTransport,
  options: StoreOptions = {},
): Promise<boolean> {
  try {
    for await (const name of listNames(transport, { ...accountListing, pageNames: 1 }, options))
      return name !== ''
  } catch (error) {
    if (!isBackupError(error, 'FORBIDDEN')) throw error
    return false
  }
  return true
}

/**
 * The names of a container's objects that begin with `prefix`; none if the container does not exist.
 *
 * @throws `STORE_FAILED` where the container's listing is answered with 404, and the account lists the container
 */
export function listObjects(
  transport: SwiftTransport,
  container: string,
  prefix: string,
  options: StoreOptions = {},
  pages: ListingPages = {},
): AsyncGenerator<string> {
  const exists = (): Promise<boolean | undefined> => isInAccount(transport, container, options)
  return listNames(transport, { ...containerListing(container, prefix), exists, ...pages }, options)
}

/**
 * The names of the containers, but for one, that hold an object whose name begins with `prefix`: an account may hold
 * many other containers, whose listings would take long. None if the user may not list the account.
 *
 * With `complete`, no container is left out in silence: rejects with `FORBIDDEN` where the account may not be listed, and
 * names containers that the account lists and that cannot be listed themselves.
 */
export async function* listContainersWith(
  transport: SwiftTransport,
  prefix: string,
  except: string,
  { complete = false, ...options }: ContainerSearchOptions = {},
): AsyncGenerator<string> {
  const names: string[] = []
  try {
    for await (const name of listContainers(transport, options)) {
      if (names.length === maxContainers) throw tooManyContainers()
      if (name !== except) names.push(name)
    }
  } catch (error) {
    // A user of a container ACL has no access to the account.
    if (!isBackupError(error, 'FORBIDDEN')) throw error
    if (complete) throw accountNotListed(except, error)
  }
  for (let from = 0; from < names.length; from += concurrentProbes) {
    const batch = names.slice(from, from + concurrentProbes)
    const has = await Promise.all(
      batch.map(async (name) => {
        const found = await hasObjects(transport, name, prefix, options)
        return found === 'container-missing' ? complete : found
      }),
    )
    yield* batch.filter((_name, index) => has[index])
  }
}

async function hasObjects(
  transport: SwiftTransport,
  container: string,
  prefix: string,
  options: StoreOptions,
): Promise<boolean | 'container-missing'> {
  const answer = { isMissing: false }
  // An account's listing may lag, and name a container that is gone. Where that matters, the container is listed again.
  const exists = (): Promise<false> => {
    answer.isMissing = true
    return Promise.resolve(false)
  }
  const probe = { ...containerListing(container, prefix), pageNames: 1, exists }
  try {
    for await (const name of listNames(transport, probe, options)) return name !== ''
    return answer.isMissing ? 'container-missing' : false
  } catch (error) {
    // Its contents are unknown: its own listing reports that.
    if (isBackupError(error, 'FORBIDDEN')) return true
    throw error
  }
}

/** Whether the account lists the container; undefined where the account may not, or cannot, be listed. */
async function isInAccount(
  transport: SwiftTransport,
  container: string,
  options: StoreOptions,
): Promise<boolean | undefined> {
  // Names are in order: the first one that begins with the container's name is the container's, where it exists.
  const listing = { ...accountListing, prefix: container, pageNames: 1 }
  try {
    for await (const name of listNames(transport, listing, options)) return name === container
    return false
  } catch (error) {
    if (isBackupError(error, 'FORBIDDEN') || isBackupError(error, 'STORE_FAILED')) return undefined
    throw error
  }
}

function containerListing(container: string, prefix: string): ListedCollection {
  const what = `Listing container ${container}`
  return { path: containerPath(container), prefix, what, details: { container } }
}

function accountNotListed(known: string, cause: BackupError): BackupError {
  const { status, requestId } = cause.details
  const facts = [`status ${status ?? 403}`, ...(requestId === undefined ? [] : [`request ${requestId}`])]
  return new BackupError(
    'FORBIDDEN',
    `Listing the containers of the account failed (${facts.join('; ')}): this user has no access to the account, only to ` +
      `containers such as ${known}, so backups in other containers cannot be found. Use a user with a role in the ` +
      'project of the account.',
    { ...cause.details, cause },
  )
}

function tooManyContainers(): BackupError {
  return new BackupError(
    'LISTING_INVALID',
    `Listing the containers of the account failed: it exceeds the limit of ${maxContainers} containers. Search one container ` +
      'only: search: "container", or swift://CONTAINER.',
  )
}

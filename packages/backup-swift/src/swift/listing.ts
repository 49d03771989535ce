import { BackupError, type StoreOptions } from '@stowage/backup-core'
import { AttemptFailure, collect, type HttpResponse, requestIdOf } from '@stowage/http'
import type { SwiftTransport } from './transport.js'

/** The maximum number of names in a page of Swift, unless its operator lowered it. */
const maxPageNames = 10_000

/** 10⁹ names in full pages: a longer listing does not end. */
const defaultMaxPages = 100_000

/** A name of 1024 bytes, each escaped as `\u00xx`, and the other fields of an entry. */
const maxEntryBytes = 6 * 1024 + 1024

/** What is listed: the containers of the account, or the objects of a container. */
export interface ListedCollection {
  /** Empty for the account. */
  readonly path: string
  readonly prefix: string
  readonly what: string
  readonly details: { readonly container?: string }
  /** The number of names to request per page. @default 10000, the maximum of Swift */
  readonly pageNames?: number
  /** @default 100000 */
  readonly maxPages?: number
  /**
   * Asks elsewhere whether the collection exists, when its listing is answered with 404; undefined where that cannot be
   * known. @default it exists: each 404 is a failure
   */
  readonly exists?: () => Promise<boolean | undefined>
}

/**
 * Every name that begins with the prefix, page by page to the end. A collection that does not exist is empty; a 404 alone
 * does not prove that, since an empty listing in place of a full one lets a delete remove what is still needed.
 *
 * @throws `LISTING_INVALID` for an invalid listing: not JSON, names outside the prefix, or repeated pages;
 * `STORE_FAILED` for 404 where the collection exists, or began to be listed.
 */
export async function* listNames(
  transport: SwiftTransport,
  collection: ListedCollection,
  { signal }: StoreOptions = {},
): AsyncGenerator<string> {
  const { path, prefix, what, details, pageNames = maxPageNames, maxPages = defaultMaxPages } = collection
  const maxBytes = (pageNames + 1) * maxEntryBytes
  const tooLong = (): BackupError =>
    invalid(what, `a page of at most ${pageNames} names is longer than ${maxBytes} bytes`, details)
  let marker = ''
  for (let page = 0; page < maxPages; page += 1) {
    const query = new URLSearchParams({ format: 'json', limit: String(pageNames) })
    if (prefix !== '') query.set('prefix', prefix)
    if (marker !== '') query.set('marker', marker)
    const request = {
      method: 'GET' as const,
      path,
      // Spaces as %20: not every proxy reads the form's plus.
      query: query.toString().replaceAll('+', '%20'),
      headers: { accept: 'application/json' },
      what,
      details,
      accept: [200, 204, 404],
      sink: () => collect(maxBytes, false, tooLong),
    }
    const attempt = async (): Promise<HttpResponse<Buffer>> => {
      const answer = await transport.sendOnce(request, signal)
      if (answer.head.status === 404) await assertMayBeMissing(collection, page, requestIdOf(answer.head))
      return answer
    }
    const { head, value } = await transport.retrying(what, attempt, signal)
    const names = head.status === 200 ? namesOf(value, collection) : []
    if (names.length === 0) return
    if (names.length > pageNames) {
      throw invalid(what, `a page has ${names.length} names, and ${pageNames} were requested`, details)
    }
    for (const name of names) {
      // Swift sorts by UTF-8, JavaScript by UTF-16.
      if (marker !== '' && Buffer.compare(Buffer.from(name), Buffer.from(marker)) <= 0) {
        throw invalid(what, 'its names are repeated or not in order', details)
      }
      marker = name
      yield name
    }
  }
  throw invalid(what, `it has not ended after ${maxPages} pages`, details)
}

/** Rejects a 404 that cannot be true. Another server may answer the next attempt. */
async function assertMayBeMissing(
  { exists, what, details }: ListedCollection,
  page: number,
  requestId: string | undefined,
): Promise<void> {
  const existence = exists ? await exists() : true
  // If existence is unknown, the pages before this one prove it.
  if (existence === false || (existence === undefined && page === 0)) return
  const why = existence
    ? exists
      ? 'the server answers that it does not exist, and the account lists it'
      : 'the server answers that the account does not exist'
    : `the server answers for page ${page + 1} that it does not exist`
  const where = `(status 404${requestId === undefined ? '' : `; request ${requestId}`})`
  throw new AttemptFailure(
    new BackupError(
      'STORE_FAILED',
      `${what} failed: ${why} ${where}. Check the health of the cluster, and retry later.`,
      { ...details, status: 404, ...(requestId === undefined ? {} : { requestId }) },
    ),
    'after-backoff',
  )
}

function namesOf(bytes: Uint8Array, { prefix, what, details }: ListedCollection): string[] {
  let page: unknown
  try {
    page = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Without the cause, which quotes the text.
    throw invalid(what, 'it is not valid JSON', details)
  }
  if (!Array.isArray(page)) throw invalid(what, 'it is not an array', details)
  return page.map((entry: unknown) => {
    const name: unknown =
      typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined
    if (typeof name !== 'string' || name === '') throw invalid(what, 'an entry has no name', details)
    if (!name.startsWith(prefix)) throw invalid(what, 'it has names without the requested prefix', details)
    return name
  })
}

function invalid(what: string, why: string, details: object): BackupError {
  return new BackupError(
    'LISTING_INVALID',
    `${what} failed: the listing of the server is invalid: ${why}. Check the cluster, and proxies before it.`,
    details,
  )
}

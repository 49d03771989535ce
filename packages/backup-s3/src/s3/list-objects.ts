import { BackupError, type StoreOptions } from '@stowage/backup-core'
import { collect } from '@stowage/http'
import type { S3Transport } from './transport.js'
import { parseResponse, type XmlNode } from './xml.js'

/** The maximum of S3. */
const pageNames = 1000
/** A name of 1024 bytes, percent-encoded, and the other fields of an entry. */
const maxPageBytes = (pageNames + 1) * (3 * 1024 + 2048)
/** 10⁹ names in full pages: a longer listing does not end. */
const maxPages = 1_000_000

/**
 * Yields every name in a bucket that begins with the prefix, page by page to the end. A bucket that does not exist is empty.
 *
 * @throws `LISTING_INVALID` for an invalid listing: not XML, names outside the prefix, repeated pages
 */
export async function* listObjects(
  transport: S3Transport,
  bucket: string,
  prefix: string,
  { signal }: StoreOptions = {},
): AsyncGenerator<string> {
  const what = `Listing bucket ${bucket}`
  const details = { container: bucket }
  let token: string | undefined
  let last = ''
  let firstOfPage: string | undefined
  for (let page = 0; page < maxPages; page += 1) {
    const { head, value } = await transport.send(
      {
        method: 'GET',
        bucket,
        query: {
          ...(token === undefined ? {} : { 'continuation-token': token }),
          'encoding-type': 'url',
          'list-type': '2',
          'max-keys': String(pageNames),
          ...(prefix === '' ? {} : { prefix }),
        },
        what,
        details,
        accept: [200, 404],
        sink: () =>
          collect(maxPageBytes, false, () => invalid(what, `a page exceeds ${maxPageBytes} bytes`, details)),
      },
      signal,
    )
    if (head.status === 404) {
      assertNoBucket(value, page, what, details)
      return
    }
    const { names, next } = pageOf(value, prefix, what, details)
    // A server that ignores the token may name another one with each page.
    if (names[0] !== undefined && names[0] === firstOfPage)
      throw invalid(what, 'its pages are repeated', details)
    firstOfPage = names[0] ?? firstOfPage
    for (const name of names) {
      // S3 sorts by UTF-8. "Directory buckets" do not sort: only a repetition shows that a listing does not end.
      if (name === last) throw invalid(what, 'its names are repeated', details)
      yield name
      last = name
    }
    if (next === undefined) return
    if (next === token) throw invalid(what, 'a page names itself as the next one', details)
    token = next
  }
  throw invalid(what, `it has not ended after ${maxPages} pages`, details)
}

/** Rejects a 404 that is not S3's own, as of a wrong endpoint: a delete would take the listing for empty. */
function assertNoBucket(bytes: Uint8Array, page: number, what: string, details: object): void {
  const code = parseResponse(bytes)?.text('Code')
  if (code === 'NoSuchBucket' && page === 0) return
  throw new BackupError(
    'STORE_FAILED',
    page > 0
      ? `${what} failed: the bucket was deleted while it was listed. Check which program did it.`
      : `${what} failed (status 404): the server does not respond as S3 does. Check the endpoint and its path.`,
    { ...details, status: 404 },
  )
}

function pageOf(
  bytes: Uint8Array,
  prefix: string,
  what: string,
  details: object,
): { readonly names: string[]; readonly next: string | undefined } {
  const root = parseResponse(bytes)
  if (root?.name !== 'ListBucketResult') throw invalid(what, 'it is not a ListBucketResult', details)
  const isEncoded = root.text('EncodingType') === 'url'
  const names = root.all('Contents').map((entry) => nameOf(entry, isEncoded, what, details))
  if (names.some((name) => !name.startsWith(prefix)))
    throw invalid(what, 'it has names without the requested prefix', details)
  if (root.text('IsTruncated')?.trim() !== 'true') return { names, next: undefined }
  const next = root.text('NextContinuationToken')
  if (next === undefined || next === '') throw invalid(what, 'a page does not name the next one', details)
  return { names, next }
}

function nameOf(entry: XmlNode, isEncoded: boolean, what: string, details: object): string {
  const key = entry.text('Key')
  if (key === undefined || key === '') throw invalid(what, 'an entry has no key', details)
  try {
    // As a form is encoded: a space may be a plus.
    return isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key
  } catch {
    throw invalid(what, 'a key has invalid percent-encoding', details)
  }
}

function invalid(what: string, why: string, details: object): BackupError {
  return new BackupError(
    'LISTING_INVALID',
    `${what} failed: the listing of the server is invalid: ${why}. Check the store, and proxies before it.`,
    details,
  )
}

import type { TestObject } from './account-store.js'
import type { TestAnswer, TestRequest } from './answer.js'
import { html } from './answer.js'

/** GET and HEAD of an object, with ranges and conditions as Swift takes them. */
export function getObject(object: TestObject, request: TestRequest): TestAnswer {
  const { bytes, etag, storedAt, metadata } = object
  const headers = {
    ...metadata,
    etag,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'last-modified': storedAt.toUTCString(),
    'x-timestamp': (storedAt.getTime() / 1000).toFixed(5),
  }
  const ifMatch = request.headers['if-match']?.replaceAll('"', '')
  if (ifMatch !== undefined && ifMatch !== etag && ifMatch !== '*')
    return html(412, 'Precondition Failed', { etag })
  const range = rangeOf(request.headers['range'], bytes.byteLength)
  if (range === 'unsatisfiable') {
    return html(416, 'Requested Range Not Satisfiable', {
      etag,
      'content-range': `bytes */${bytes.byteLength}`,
    })
  }
  if (!range) return { status: 200, headers, body: bytes }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${range.first}-${range.last}/${bytes.byteLength}` },
    body: bytes.subarray(range.first, range.last + 1),
  }
}

/** What is malformed or reversed is no range to Swift: it answers with the whole object. */
function rangeOf(
  header: string | undefined,
  lengthBytes: number,
): { readonly first: number; readonly last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? '']
  if (!match || (from === '' && to === '')) return undefined
  if (from === '') {
    const suffix = Number(to)
    if (suffix === 0 || lengthBytes === 0) return 'unsatisfiable'
    return { first: Math.max(0, lengthBytes - suffix), last: lengthBytes - 1 }
  }
  const first = Number(from)
  const last = to === '' ? lengthBytes - 1 : Math.min(Number(to), lengthBytes - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= lengthBytes ? 'unsatisfiable' : { first, last }
}

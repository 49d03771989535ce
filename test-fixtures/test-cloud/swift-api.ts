import {
  html,
  inUtf8Order,
  type AccountStore,
  type TestAnswer,
  type TestContainer,
  type TestObject,
  type TestRequest,
} from './account-store.js'

/** The limits and features of a cluster. */
export interface ClusterBehaviour {
  readonly maxFileSizeBytes: number
  readonly bulkDelete: boolean
  readonly info: boolean
  /** The maximum number of names in a page. */
  readonly listingLimit: number
  /** The default one first. */
  readonly policies: readonly string[]
  /** The maximum number of bytes in an account; 0 without limit. */
  readonly quotaBytes: number
}

/** `/info`. */
export function infoOf(behaviour: ClusterBehaviour): Record<string, unknown> {
  return {
    swift: {
      version: '2.30.1',
      max_file_size: behaviour.maxFileSizeBytes,
      max_object_name_length: 1024,
      container_listing_limit: behaviour.listingLimit,
      policies: behaviour.policies.map((name, index) => ({
        name,
        ...(index === 0 ? { default: true } : {}),
      })),
    },
    ...(behaviour.bulkDelete
      ? { bulk_delete: { max_deletes_per_request: 10_000, max_failed_deletes: 1000 } }
      : {}),
  }
}

/** Answers a request to an account as Swift does. `parts` are the decoded container and object, where there are. */
export function swiftAnswer(
  store: AccountStore,
  behaviour: ClusterBehaviour,
  account: string,
  parts: { readonly container?: string; readonly object?: string },
  request: TestRequest,
): TestAnswer {
  const containers = store.account(account)
  const { container: containerName, object } = parts
  if (containerName === undefined) {
    if (request.method === 'POST' && request.query.has('bulk-delete')) {
      return behaviour.bulkDelete ? bulkDelete(containers, request) : html(404, 'Not Found')
    }
    if (request.method === 'HEAD')
      return { status: 204, headers: { 'x-account-container-count': String(containers.size) } }
    if (request.method === 'GET') return listing([...containers.keys()], behaviour, request)
    return html(405, 'Method Not Allowed')
  }
  const container = containers.get(containerName)
  if (object === undefined) return containerAnswer(containers, containerName, container, behaviour, request)
  switch (request.method) {
    case 'PUT':
      return putObject(store, containers, container, object, behaviour, request)
    case 'GET':
    case 'HEAD': {
      const found = container?.objects.get(object)
      return found ? getObject(found, request) : html(404, 'Not Found')
    }
    case 'DELETE':
      return container?.objects.delete(object) ? { status: 204 } : html(404, 'Not Found')
    default:
      return html(405, 'Method Not Allowed')
  }
}

function containerAnswer(
  containers: Map<string, TestContainer>,
  name: string,
  container: TestContainer | undefined,
  behaviour: ClusterBehaviour,
  request: TestRequest,
): TestAnswer {
  switch (request.method) {
    case 'PUT': {
      const wanted = request.headers['x-storage-policy']
      const policy = behaviour.policies.find((known) => known.toLowerCase() === wanted?.toLowerCase())
      if (wanted !== undefined && policy === undefined)
        return html(400, `Invalid X-Storage-Policy '${wanted}'`)
      if (container)
        return policy === undefined || policy === container.policy ? { status: 202 } : html(409, 'Conflict')
      containers.set(name, { policy: policy ?? behaviour.policies[0] ?? 'gold', objects: new Map() })
      return { status: 201 }
    }
    case 'HEAD':
      if (!container) return { status: 404 }
      return {
        status: 204,
        headers: {
          'x-container-object-count': String(container.objects.size),
          'x-storage-policy': container.policy,
        },
      }
    case 'GET':
      return container
        ? listing([...container.objects.keys()], behaviour, request, container)
        : html(404, 'Not Found')
    case 'DELETE':
      if (!container) return html(404, 'Not Found')
      if (container.objects.size > 0) return html(409, 'Conflict')
      containers.delete(name)
      return { status: 204 }
    default:
      return html(405, 'Method Not Allowed')
  }
}

function listing(
  names: readonly string[],
  behaviour: ClusterBehaviour,
  request: TestRequest,
  container?: TestContainer,
): TestAnswer {
  const asked = request.query.get('limit')
  // Swift ignores an invalid number, and rejects one above its limit.
  const limit = asked !== null && /^\d+$/.test(asked) ? Number(asked) : behaviour.listingLimit
  if (limit > 10_000) return html(412, 'Maximum limit is 10000')
  const prefix = request.query.get('prefix') ?? ''
  const marker = Buffer.from(request.query.get('marker') ?? '')
  const page = inUtf8Order(names.filter((name) => name.startsWith(prefix)))
    .filter((name) => marker.length === 0 || Buffer.compare(Buffer.from(name), marker) > 0)
    .slice(0, Math.min(limit, behaviour.listingLimit))
  if (request.query.get('format') !== 'json') {
    return page.length === 0 ? { status: 204 } : { status: 200, body: `${page.join('\n')}\n` }
  }
  const entries = page.map((name) => {
    const object = container?.objects.get(name)
    return object
      ? {
          name,
          hash: object.etag,
          bytes: object.bytes.byteLength,
          content_type: 'application/octet-stream',
          // Without a Z, as Swift writes it.
          last_modified: object.storedAt.toISOString().replace('Z', '000'),
        }
      : { name, count: 0, bytes: 0 }
  })
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(entries),
  }
}

function putObject(
  store: AccountStore,
  containers: Map<string, TestContainer>,
  container: TestContainer | undefined,
  name: string,
  behaviour: ClusterBehaviour,
  request: TestRequest,
): TestAnswer {
  const { headers, body } = request
  if (!container) return html(404, 'Not Found')
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    return html(411, 'Length Required')
  }
  if (body.byteLength > behaviour.maxFileSizeBytes) return html(413, 'Your request is too large.')
  if (behaviour.quotaBytes > 0 && usedBytes(containers) + body.byteLength > behaviour.quotaBytes) {
    return html(413, 'Upload exceeds quota.')
  }
  const before = container.objects.get(name)
  if (headers['if-none-match'] === '*' && before) return html(412, 'Precondition Failed')
  const object = store.put(container, name, body, metadataOf(headers))
  const sent = headers['etag']?.replace(/^"(.*)"$/, '$1')
  if (sent !== undefined && sent !== object.etag) {
    if (before) container.objects.set(name, before)
    else container.objects.delete(name)
    return html(422, 'Unprocessable Entity')
  }
  return { status: 201, headers: { etag: object.etag, 'last-modified': object.storedAt.toUTCString() } }
}

function metadataOf(headers: TestRequest['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-object-meta-'))
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']))
}

function usedBytes(containers: Map<string, TestContainer>): number {
  let bytes = 0
  for (const { objects } of containers.values())
    for (const object of objects.values()) bytes += object.bytes.byteLength
  return bytes
}

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

/** Undefined for a malformed or reversed range, for which Swift returns the whole object. */
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

/** `POST ?bulk-delete`: always 200, and its own status inside. */
export function bulkDelete(containers: Map<string, TestContainer>, request: TestRequest): TestAnswer {
  const lines = request.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const errors: [string, string][] = []
  let deleted = 0
  let missing = 0
  for (const line of lines) {
    const [containerName, ...rest] = decodeURIComponent(line).replace(/^\//, '').split('/')
    const container = containers.get(containerName ?? '')
    const object = rest.join('/')
    if (object === '' && container) {
      // A container alone is deleted as a container: only if it is empty.
      if (container.objects.size > 0) errors.push([line, '409 Conflict'])
      else if (containers.delete(containerName ?? '')) deleted += 1
    } else if (container?.objects.delete(object)) deleted += 1
    else missing += 1
  }
  const report = {
    'Number Deleted': deleted,
    'Number Not Found': missing,
    'Response Status': errors.length > 0 ? '400 Bad Request' : '200 OK',
    'Response Body': '',
    Errors: errors,
  }
  // Swift sends spaces ahead, to keep the connection alive.
  return { status: 200, headers: { 'content-type': 'application/json' }, body: `  ${JSON.stringify(report)}` }
}

import { createHash, randomUUID } from 'node:crypto'
import type { TestAnswer, TestRequest } from '../test-cloud/account-store.js'

/** An object as it is kept. */
export interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly storedAt: Date
  readonly headers: Readonly<Record<string, string>>
}

/** An upload in parts that is not complete. */
export interface StoredUpload {
  readonly objectName: string
  readonly begunAt: Date
  readonly headers: Readonly<Record<string, string>>
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>
}

/** A bucket. */
export interface StoredBucket {
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, StoredUpload>
}

/** How a server differs from Amazon's. */
export interface S3Behaviour {
  /** @default 1000 */
  readonly listingLimit: number
  /** Refuses If-None-Match with 501, as Swift's s3api 2.30 does. @default true: implements it */
  readonly conditionalPut: boolean
  /** `kms`: ETags are no MD5s, and a header says so. `opaque`: the same without the header. @default 'md5' */
  readonly etags: 'md5' | 'kms' | 'opaque'
  /** Refuses DeleteObjects. @default true: implements it */
  readonly deleteObjects: boolean
  /** Keys of a listing are percent-encoded if that is asked for. @default true */
  readonly encodesKeys: boolean
}

/** What a request is for. */
export interface S3Target {
  readonly bucket?: string
  readonly objectName?: string
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex')

const escaped = (text: string): string =>
  text.replace(/[&<>"\r]/g, (char) => `&#${String(char.charCodeAt(0))};`)

/** An answer in XML. */
export function xml(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  }
}

/** An error in S3's way of speaking. */
export function s3Error(
  status: number,
  code: string,
  more = '',
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return xml(status, `<Error><Code>${code}</Code><Message>${code}.</Message>${more}</Error>`, headers)
}

/** Carries a request out. */
export function s3Answer(
  buckets: Map<string, StoredBucket>,
  behaviour: S3Behaviour,
  { bucket: name, objectName }: S3Target,
  request: TestRequest,
): TestAnswer {
  if (name === undefined) return listOfBuckets(buckets)
  const bucket = buckets.get(name)
  if (request.method === 'PUT' && objectName === undefined) {
    if (bucket) return s3Error(409, 'BucketAlreadyOwnedByYou')
    buckets.set(name, { objects: new Map(), uploads: new Map() })
    return { status: 200 }
  }
  if (!bucket) return s3Error(404, 'NoSuchBucket')
  return objectName === undefined
    ? bucketAnswer(buckets, behaviour, name, bucket, request)
    : objectAnswer(behaviour, bucket, objectName, request)
}

function listOfBuckets(buckets: Map<string, StoredBucket>): TestAnswer {
  const entries = [...buckets.keys()].map((name) => `<Bucket><Name>${name}</Name></Bucket>`)
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  return xml(
    200,
    `<ListAllMyBucketsResult ${namespace}><Buckets>${entries.join('')}</Buckets></ListAllMyBucketsResult>`,
  )
}

function bucketAnswer(
  buckets: Map<string, StoredBucket>,
  behaviour: S3Behaviour,
  name: string,
  bucket: StoredBucket,
  { method, query, headers, body }: TestRequest,
): TestAnswer {
  if (method === 'HEAD') return { status: 200 }
  if (method === 'DELETE') {
    if (bucket.objects.size > 0) return s3Error(409, 'BucketNotEmpty')
    buckets.delete(name)
    return { status: 204 }
  }
  if (method === 'POST' && query.has('delete')) {
    if (!behaviour.deleteObjects) return s3Error(501, 'NotImplemented')
    if (headers['content-md5'] === undefined) return s3Error(400, 'InvalidRequest')
    const keys = [...body.toString('utf8').matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) =>
      key.replace(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code))),
    )
    for (const key of keys) bucket.objects.delete(key)
    const deleted = keys.map((key) => `<Deleted><Key>${escaped(key)}</Key></Deleted>`)
    return xml(200, `<DeleteResult>${deleted.join('')}</DeleteResult>`)
  }
  if (query.has('uploads')) return listOfUploads(bucket, query.get('prefix') ?? '')
  return listing(behaviour, bucket, query)
}

function listOfUploads(bucket: StoredBucket, prefix: string): TestAnswer {
  const entries = [...bucket.uploads]
    .filter(([, { objectName }]) => objectName.startsWith(prefix))
    .map(
      ([id, { objectName, begunAt }]) =>
        `<Upload><Key>${escaped(objectName)}</Key><UploadId>${id}</UploadId><Initiated>${begunAt.toISOString()}</Initiated></Upload>`,
    )
  return xml(
    200,
    `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListMultipartUploadsResult>`,
  )
}

function listing(behaviour: S3Behaviour, bucket: StoredBucket, query: URLSearchParams): TestAnswer {
  if (query.get('list-type') !== '2') return s3Error(400, 'InvalidArgument')
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? ''
  const isEncoded = behaviour.encodesKeys && query.get('encoding-type') === 'url'
  const names = [...bucket.objects.keys()]
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .filter((name) => after === '' || Buffer.compare(Buffer.from(name), Buffer.from(after, 'hex')) > 0)
  const limit = Math.min(behaviour.listingLimit, Number(query.get('max-keys') ?? 1000))
  const page = names.slice(0, limit)
  const isTruncated = names.length > page.length
  const token = Buffer.from(page.at(-1) ?? '').toString('hex')
  const entries = page.map((name) => {
    const key = isEncoded
      ? encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%20', '+')
      : escaped(name)
    const size = String(bucket.objects.get(name)?.bytes.byteLength ?? 0)
    return `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`
  })
  return xml(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${String(isTruncated)}</IsTruncated>` +
      (isEncoded ? '<EncodingType>url</EncodingType>' : '') +
      (isTruncated ? `<NextContinuationToken>${token}</NextContinuationToken>` : '') +
      `${entries.join('')}</ListBucketResult>`,
  )
}

function objectAnswer(
  behaviour: S3Behaviour,
  bucket: StoredBucket,
  objectName: string,
  request: TestRequest,
): TestAnswer {
  const { method, query, headers } = request
  const uploadId = query.get('uploadId')
  if (query.has('uploads') && method === 'POST') {
    const id = randomUUID()
    const kept = keptHeaders(headers)
    bucket.uploads.set(id, { objectName, begunAt: new Date(), headers: kept, parts: new Map() })
    return xml(
      200,
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    )
  }
  if (uploadId !== null) return uploadAnswer(behaviour, bucket, objectName, uploadId, request)
  if (method === 'PUT') return put(behaviour, bucket, objectName, request)
  if (method === 'DELETE') {
    bucket.objects.delete(objectName)
    return { status: 204 }
  }
  const object = bucket.objects.get(objectName)
  return object ? read(object, request) : s3Error(404, 'NoSuchKey')
}

function uploadAnswer(
  behaviour: S3Behaviour,
  bucket: StoredBucket,
  objectName: string,
  uploadId: string,
  { method, query, headers, body }: TestRequest,
): TestAnswer {
  const upload = bucket.uploads.get(uploadId)
  if (!upload) return s3Error(404, 'NoSuchUpload')
  if (method === 'DELETE') {
    bucket.uploads.delete(uploadId)
    return { status: 204 }
  }
  if (method === 'PUT') {
    if (isDamaged(body, headers)) return s3Error(400, 'BadDigest')
    const etag = md5(body)
    upload.parts.set(Number(query.get('partNumber')), { bytes: body, etag })
    return { status: 200, headers: { etag: `"${etag}"` } }
  }
  if (headers['if-none-match'] !== undefined && bucket.objects.has(objectName))
    return s3Error(412, 'PreconditionFailed')
  const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
  const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))}-${String(parts.length)}`
  const bytes = Buffer.concat(parts.map((part) => part.bytes))
  bucket.objects.set(objectName, { bytes, etag, storedAt: new Date(), headers: upload.headers })
  bucket.uploads.delete(uploadId)
  return xml(
    200,
    `<CompleteMultipartUploadResult><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`,
  )
}

function put(
  behaviour: S3Behaviour,
  bucket: StoredBucket,
  objectName: string,
  { headers, body }: TestRequest,
): TestAnswer {
  if (headers['x-amz-content-sha256']?.startsWith('STREAMING') === true)
    return s3Error(501, 'NotImplemented', '<Header>aws-chunked</Header>')
  if (headers['if-none-match'] !== undefined) {
    if (!behaviour.conditionalPut) return s3Error(501, 'NotImplemented')
    if (bucket.objects.has(objectName)) return s3Error(412, 'PreconditionFailed')
  }
  if (isDamaged(body, headers)) return s3Error(400, 'BadDigest')
  const encryption: Record<string, string> =
    behaviour.etags === 'kms' ? { 'x-amz-server-side-encryption': 'aws:kms' } : {}
  const customer = headers['x-amz-server-side-encryption-customer-algorithm']
  if (customer !== undefined) encryption['x-amz-server-side-encryption-customer-algorithm'] = customer
  const isMd5 = behaviour.etags === 'md5' && customer === undefined
  const etag = isMd5 ? md5(body) : createHash('md5').update(randomUUID()).digest('hex')
  const shown = behaviour.etags === 'opaque' ? `${etag}-1` : etag
  const kept = { ...keptHeaders(headers), ...encryption }
  bucket.objects.set(objectName, { bytes: body, etag: shown, storedAt: new Date(), headers: kept })
  return { status: 200, headers: { etag: `"${shown}"`, ...encryption } }
}

function isDamaged(body: Buffer, headers: TestRequest['headers']): boolean {
  const sent = headers['content-md5']
  return sent !== undefined && sent !== createHash('md5').update(body).digest('base64')
}

/** What is stored with an object: its metadata, and the digest of the customer's key. */
function keptHeaders(headers: TestRequest['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (entry[0].startsWith('x-amz-meta-') || entry[0] === 'x-amz-server-side-encryption-customer-key-md5'),
    ),
  )
}

function read(object: StoredObject, { headers }: TestRequest): TestAnswer {
  const keyDigest = 'x-amz-server-side-encryption-customer-key-md5'
  if (object.headers[keyDigest] !== headers[keyDigest]) return s3Error(400, 'InvalidRequest')
  const common = {
    etag: `"${object.etag}"`,
    'last-modified': object.storedAt.toUTCString(),
    ...object.headers,
  }
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined && ifMatch !== `"${object.etag}"`) return s3Error(412, 'PreconditionFailed')
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '')
  if (!range) return { status: 200, headers: common, body: object.bytes }
  const [first, last] = [Number(range[1]), Number(range[2])]
  const size = object.bytes.byteLength
  if (first >= size) return s3Error(416, 'InvalidRange', '', { 'content-range': `bytes */${String(size)}` })
  const body = object.bytes.subarray(first, last + 1)
  const contentRange = `bytes ${String(first)}-${String(first + body.byteLength - 1)}/${String(size)}`
  return { status: 206, headers: { ...common, 'content-range': contentRange }, body }
}

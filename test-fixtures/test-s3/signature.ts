import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { TestRequest } from '../test-cloud/account-store.js'

/** Keys that the server knows. */
export interface TestKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What is wrong with a signature: S3's code; undefined for a valid one. */
export type SignatureProblem =
  | 'AccessDenied'
  | 'InvalidAccessKeyId'
  | 'InvalidToken'
  | 'SignatureDoesNotMatch'
  | 'RequestTimeTooSkewed'
  | 'XAmzContentSHA256Mismatch'
  | 'AuthorizationHeaderMalformed'

/** How the server checks signatures. */
export interface SignatureRules {
  readonly keys: readonly TestKeys[]
  readonly region: string
  readonly now: Date
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** The unreserved characters of RFC 3986 stay. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/**
 * Checks a request by AWS Signature version 4, from Amazon's description of it ("Authenticating Requests: Using the
 * Authorization Header"), with no code of the client.
 */
export function signatureProblem(
  { method, path, query, headers, body }: TestRequest,
  { keys, region, now }: SignatureRules,
): SignatureProblem | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    )
  if (!match) return 'AccessDenied'
  const [, keyId = '', day = '', signedRegion = '', signedHeaders = '', signature = ''] = match
  if (signedRegion !== region) return 'AuthorizationHeaderMalformed'
  const known = keys.find(({ accessKeyId }) => accessKeyId === keyId)
  if (!known) return 'InvalidAccessKeyId'
  if (headers['x-amz-security-token'] !== known.sessionToken) return 'InvalidToken'
  const time = headers['x-amz-date'] ?? ''
  const signedAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(signedAt - now.getTime()) < 15 * 60_000)) return 'RequestTimeTooSkewed'

  const names = signedHeaders.split(';')
  // Each header of S3 must be covered, or it could be changed.
  const uncovered = Object.keys(headers).some((name) => name.startsWith('x-amz-') && !names.includes(name))
  if (uncovered || !names.includes('host')) return 'SignatureDoesNotMatch'
  const canonicalQuery = [...query]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const contentHash = headers['x-amz-content-sha256'] ?? ''
  const canonical = [
    method,
    path
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/'),
    canonicalQuery,
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    signedHeaders,
    contentHash,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = hmac(hmac(hmac(hmac(`AWS4${known.secretAccessKey}`, day), region), 's3'), 'aws4_request')
  const expected = hmac(key, toSign)
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return 'SignatureDoesNotMatch'
  if (contentHash !== 'UNSIGNED-PAYLOAD' && contentHash !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  return undefined
}

import { AwsV4Signer } from 'aws4fetch'
import { createHash } from 'node:crypto'
import type { S3Credentials } from './credentials.js'

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: string
  /** The complete URL, encoded as it is sent. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The bytes of a small body, whose SHA-256 the signature covers; undefined for a body that is streamed or empty. */
  readonly signedBody?: Uint8Array
  /** Whether a body follows that the signature does not cover. Its MD5 is verified by the store, or here. */
  readonly hasUnsignedBody: boolean
}

/** Derived keys, one for each day, region and secret: the signer's own cache. */
export type SigningKeys = Map<string, ArrayBuffer>

/** How a request is signed. */
export interface Signing {
  readonly credentials: S3Credentials
  readonly region: string
  /** The store's time minus this machine's. */
  readonly clockOffsetMs: number
  readonly keys: SigningKeys
}

/**
 * Signs a request by AWS Signature version 4, in its headers.
 *
 * @returns the headers to send; without `host`, which the client sends
 */
export async function signedHeaders(
  { method, url, headers, signedBody, hasUnsignedBody }: UnsignedRequest,
  { credentials, region, clockOffsetMs, keys }: Signing,
): Promise<Record<string, string>> {
  const contentHash = hasUnsignedBody
    ? 'UNSIGNED-PAYLOAD'
    : createHash('sha256')
        .update(signedBody ?? '')
        .digest('hex')
  const signer = new AwsV4Signer({
    method,
    url,
    headers: { ...headers, 'x-amz-content-sha256': contentHash },
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
    service: 's3',
    region,
    datetime: amzDate(Date.now() + clockOffsetMs),
    cache: keys,
  })
  const signed = await signer.sign()
  return Object.fromEntries([...signed.headers].filter(([name]) => name !== 'host'))
}

/** `20261129T120000Z` */
function amzDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

import { AttemptFailure, bareEtag, headerOf, type ObjectServer, type ResponseHead } from '@stowage/http'
import { BackupError } from '@stowage/backup-core'
import { objectKeyPath } from './names.js'
import type { S3Transport } from './transport.js'

/** The header that names the writer of an object. Cinder does not read it. */
export const writerHeader = 'x-amz-meta-stowage-writer'

/** How the objects of a store are stored. */
export interface S3ObjectsOptions {
  /** The headers of SSE-C, for GET, HEAD and PUT. */
  readonly encryption: Readonly<Record<string, string>>
  /** Called once, when the ETags of the store turn out to be no MD5s. */
  readonly warn: (message: string) => void
}

/**
 * How S3 serves objects. An ETag is an MD5 only for an object that was stored whole and is not encrypted with a key of KMS or of
 * the customer. A PUT whose MD5 is known only after its body is confirmed by the ETag; after the first ETag that is none, the
 * MD5 is computed and sent before each body.
 */
export function s3Objects(transport: S3Transport, { encryption, warn }: S3ObjectsOptions): ObjectServer {
  const isEncrypted = Object.keys(encryption).length > 0
  let isMd5Required = isEncrypted
  return {
    sendOnce: ({ object: { container, objectName }, headers, ...call }, signal) =>
      transport.sendOnce(
        {
          ...call,
          bucket: container,
          keyPath: objectKeyPath(container, objectName),
          headers: { ...headers, ...(call.method === 'DELETE' ? {} : encryption) },
        },
        signal,
      ),
    retrying: (operation, attempt, signal, policy) => transport.retrying(operation, attempt, signal, policy),
    md5Of,
    putHeaders: ({ md5, mustBeNew }) => ({
      ...(md5 === undefined ? {} : { 'content-md5': base64Of(md5) }),
      ...(mustBeNew ? { 'if-none-match': '*' } : {}),
    }),
    putStatuses: [200, 201],
    putRefusal: (status, text, what) => {
      if (status !== 400 || !/MissingContentMD5|Content-MD5[^<]{0,80} required/i.test(text)) return undefined
      // A bucket with a default retention (Object Lock) refuses each object without it.
      isMd5Required = true
      const message = `${what} failed: the store requires the MD5, which is sent ahead from now on.`
      return { code: 'STORE_FAILED', message, retry: 'confirm', maxRetries: 1 }
    },
    writerHeader,
    md5Ahead: {
      isRequired: () => isMd5Required,
      unconfirmed: (head, what, object) => {
        if (!isMd5Required) {
          warn(
            'The ETags of this store are no MD5s (server-side encryption with KMS, or a gateway), so each chunk is read once ' +
              'more for its MD5, which is sent before it.',
          )
        }
        isMd5Required = true
        const message = `${what} failed: the response does not confirm the MD5, which is sent ahead from now on.`
        const error = new BackupError('STORE_FAILED', message, { ...object, status: head.status })
        return new AttemptFailure(error, 'confirm', { mayHaveHappened: true })
      },
    },
  }
}

/** Returns the MD5 of an object by its ETag; undefined if the ETag is not one. */
export function md5Of(head: ResponseHead): string | undefined {
  const encryption = String(head.headers['x-amz-server-side-encryption'] ?? '')
  const hasCustomerKey = head.headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined
  if (/^aws:/i.test(encryption) || hasCustomerKey) return undefined
  const etag = bareEtag(headerOf(head, 'etag') ?? '')
  return /^[0-9a-f]{32}$/.test(etag) ? etag : undefined
}

/** Returns an MD5 as Content-MD5 has it. */
export function base64Of(md5: string): string {
  return Buffer.from(md5, 'hex').toString('base64')
}

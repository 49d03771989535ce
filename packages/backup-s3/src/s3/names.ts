import { BackupError } from '@stowage/backup-core'

/** The limit of S3, in bytes of UTF-8. */
export const maxObjectNameBytes = 1024

/** Encodes a segment of a path as AWS Signature version 4 does: all but the unreserved characters of RFC 3986. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Encodes the name and value of each query parameter. */
export function queryOf(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => (value === '' ? `${encoded(name)}=` : `${encoded(name)}=${encoded(value)}`))
    .join('&')
}

/**
 * Checks that a bucket can be a part of a host name.
 *
 * @throws `OPTION_INVALID`
 */
export function checkBucketHost(bucket: string, host: string): void {
  const problem = /^[\d.]+$|^\[/.test(host)
    ? `the host of the endpoint is the address ${host}`
    : /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(bucket)
      ? undefined
      : `${JSON.stringify(bucket)} can be no part of a host name`
  if (problem === undefined) return
  throw new BackupError(
    'OPTION_INVALID',
    `pathStyle is false, which makes the bucket a part of the host name, but ${problem}. Set pathStyle to true.`,
    { container: bucket },
  )
}

/**
 * Checks the name of a bucket. Only what would change the meaning of a URL is refused: stores differ in what else they allow.
 *
 * @throws `OPTION_INVALID`
 */
export function checkBucketName(bucket: string): void {
  const problem =
    bucket === ''
      ? 'is empty'
      : bucket.length > 255
        ? `has ${bucket.length} characters, and the limit is 255`
        : /^\.\.?$/.test(bucket) || !/^[\w.:-]+$/.test(bucket)
          ? 'has characters other than letters, digits, dots, hyphens, underscores and colons, or is . or ..'
          : undefined
  if (problem === undefined) return
  throw new BackupError('OPTION_INVALID', `The bucket name ${JSON.stringify(bucket)} ${problem}.`, {
    container: bucket,
  })
}

/**
 * Returns the path of an object below its bucket, encoded, with its slash.
 *
 * @throws `OPTION_INVALID` for a name that S3 cannot store
 */
export function objectKeyPath(container: string, objectName: string): string {
  const bytes = Buffer.byteLength(objectName)
  const problem =
    objectName === ''
      ? 'is empty'
      : objectName.includes('\0')
        ? 'contains a NUL'
        : /\p{Surrogate}/u.test(objectName)
          ? 'is not valid Unicode'
          : // A URL parser would resolve these.
            objectName.split('/').some((segment) => segment === '.' || segment === '..')
            ? 'has a segment . or ..'
            : bytes > maxObjectNameBytes
              ? `has ${bytes} bytes, and the limit is ${maxObjectNameBytes}`
              : undefined
  if (problem !== undefined) {
    const message = `The object name ${JSON.stringify(objectName)} ${problem}.`
    throw new BackupError('OPTION_INVALID', message, { container, objectName })
  }
  return `/${objectName.split('/').map(encoded).join('/')}`
}

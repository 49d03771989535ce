import { BackupError, isBackupError, type StoreOptions } from '@stowage/backup-core'
import { AttemptFailure, collect, discard } from '@stowage/http'
import { listObjects } from './list-objects.js'
import type { S3Transport } from './transport.js'
import { parseResponse } from './xml.js'

const concurrentProbes = 8

/** Returns whether a bucket exists. @throws `FORBIDDEN` where these keys may not use it */
export async function bucketExists(
  transport: S3Transport,
  bucket: string,
  { signal }: StoreOptions = {},
): Promise<boolean> {
  const what = `Checking bucket ${bucket}`
  const { head } = await transport.send(
    {
      method: 'HEAD',
      bucket,
      what,
      details: { container: bucket },
      accept: [200, 204, 404],
      sink: discard,
      refusal: (status) =>
        status === 403
          ? {
              code: 'FORBIDDEN',
              message: `${what} failed: the store refuses the keys, or they may not use this bucket. Check the keys, the clock and the policies.`,
            }
          : undefined,
    },
    signal,
  )
  return head.status !== 404
}

/** Creates a bucket; one that these keys own stays unchanged. */
export async function createBucket(
  transport: S3Transport,
  bucket: string,
  region: string,
  { signal }: StoreOptions = {},
): Promise<void> {
  const what = `Creating bucket ${bucket}`
  // Amazon S3 refuses the default region as a constraint.
  const constraint =
    region === 'us-east-1'
      ? ''
      : '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `<LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
  await transport.send(
    {
      method: 'PUT',
      bucket,
      ...(constraint === '' ? {} : { signedBody: Buffer.from(constraint) }),
      what,
      details: { container: bucket },
      accept: [200, 201, 204, 409],
      sink: (head) => {
        const sink = collect(64 * 1024, true)
        return {
          push: sink.push,
          end: () => {
            const code = parseResponse(sink.end())?.text('Code')
            if (head.status !== 409 || code === 'BucketAlreadyOwnedByYou') return
            const details = { container: bucket, status: 409 }
            if (code === 'BucketAlreadyExists') {
              const message = `${what} failed: a bucket of this name belongs to somebody else. Choose another name.`
              throw new BackupError('FORBIDDEN', message, details)
            }
            // Two backups that create it concurrently.
            const message = `${what} failed: another client changes the same bucket. Retry later.`
            const conflict = new BackupError('CONFLICT', message, details)
            throw new AttemptFailure(conflict, 'after-backoff', { maxRetries: 5 })
          },
        }
      },
    },
    signal,
  )
}

/** Yields the names of all buckets of the keys' owner. */
export async function* listBuckets(
  transport: S3Transport,
  { signal }: StoreOptions = {},
): AsyncGenerator<string> {
  const what = 'Listing the buckets'
  let token: string | undefined
  do {
    const { value } = await transport.send(
      {
        method: 'GET',
        ...(token === undefined ? {} : { query: { 'continuation-token': token } }),
        what,
        accept: [200],
        sink: () => collect(16 * 1024 * 1024),
      },
      signal,
    )
    const root = parseResponse(value)
    const names = root
      ?.all('Buckets')[0]
      ?.all('Bucket')
      .map((bucket) => bucket.text('Name'))
    if (root?.name !== 'ListAllMyBucketsResult' || !names || names.includes(undefined)) {
      const message = `${what} failed: the response is not a ListAllMyBucketsResult. Check the endpoint.`
      throw new BackupError('LISTING_INVALID', message)
    }
    for (const name of names) if (name !== undefined) yield name
    const next = root.text('ContinuationToken')
    if (next !== undefined && next === token)
      throw new BackupError('LISTING_INVALID', `${what} failed: a page names itself as the next one.`)
    token = next === '' ? undefined : next
  } while (token !== undefined)
}

/** Which buckets {@link listBucketsWith} yields. */
export interface ProbeOptions extends StoreOptions {
  /** Rejects with `FORBIDDEN` if these keys may not list the buckets. @default there are none then */
  readonly complete?: boolean
  /** Yields also those that these keys may not list: they may hold such an object. @default false */
  readonly unreadable?: boolean
}

/** Yields the buckets of the region, but for one, that hold an object whose name begins with `prefix`. */
export async function* listBucketsWith(
  transport: S3Transport,
  prefix: string,
  except: string,
  { complete = false, unreadable = false, ...options }: ProbeOptions,
): AsyncGenerator<string> {
  const names: string[] = []
  try {
    for await (const name of listBuckets(transport, options)) if (name !== except) names.push(name)
  } catch (error) {
    if (!isBackupError(error, 'FORBIDDEN') || complete) throw error
  }
  for (let from = 0; from < names.length; from += concurrentProbes) {
    const batch = names.slice(from, from + concurrentProbes)
    const has = await Promise.all(
      batch.map((name) => hasObjects(transport, name, prefix, unreadable, options)),
    )
    yield* batch.filter((_name, index) => has[index])
  }
}

async function hasObjects(
  transport: S3Transport,
  bucket: string,
  prefix: string,
  unreadable: boolean,
  options: StoreOptions,
): Promise<boolean> {
  try {
    for await (const name of listObjects(transport, bucket, prefix, options)) return name !== ''
    return false
  } catch (error) {
    // Its contents are unknown: its own listing reports that.
    if (isBackupError(error, 'FORBIDDEN')) return unreadable
    // In another region, which other requests are for: this driver has stored nothing there.
    if (isBackupError(error, 'OPTION_INVALID')) return false
    throw error
  }
}

import { isBackupError, type FailedDelete, type StoreOptions } from '@stowage/backup-core'
import { collect, deleteOneByOne, type ObjectServer } from '@stowage/http'
import { createHash } from 'node:crypto'
import type { S3Transport } from './transport.js'
import { escapeXml, parseResponse } from './xml.js'

/** The maximum of S3. */
const maxNamesPerRequest = 1000

/**
 * Deletes objects, up to a thousand by one request, and those that this did not delete one by one. Returns those that could
 * not be deleted.
 */
export async function deleteObjects(
  transport: S3Transport,
  objects: ObjectServer,
  bucket: string,
  objectNames: readonly string[],
  options: StoreOptions = {},
): Promise<FailedDelete[]> {
  const left: string[] = []
  let done = 0
  try {
    for (; done < objectNames.length && objectNames.length > 1; done += maxNamesPerRequest) {
      const batch = objectNames.slice(done, done + maxNamesPerRequest)
      left.push(...(await deleteBatch(transport, bucket, batch, options)))
    }
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'CLOSED')) throw error
    // Each object is then deleted separately, with an error of its own if that fails.
  }
  return deleteOneByOne(objects, bucket, [...left, ...objectNames.slice(done)], options)
}

/** Deletes objects by one request, and returns the names that the response does not confirm. */
async function deleteBatch(
  transport: S3Transport,
  bucket: string,
  objectNames: readonly string[],
  { signal }: StoreOptions,
): Promise<string[]> {
  // Not quiet: what is not in the response is deleted again.
  const entries = objectNames.map((name) => `<Object><Key>${escapeXml(name)}</Key></Object>`)
  const body = Buffer.from(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entries.join('')}</Delete>`,
  )
  const { value } = await transport.send(
    {
      method: 'POST',
      bucket,
      query: { delete: '' },
      // Required by S3, and no longer sent by the AWS SDKs.
      headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
      signedBody: body,
      isPaced: true,
      what: `Deleting ${objectNames.length} objects from bucket ${bucket}`,
      details: { container: bucket },
      accept: [200],
      sink: () => collect(16 * 1024 * 1024),
    },
    signal,
  )
  const root = parseResponse(value)
  if (root?.name !== 'DeleteResult') return [...objectNames]
  const deleted = new Set(root.all('Deleted').map((entry) => entry.text('Key')))
  return objectNames.filter((name) => !deleted.has(name))
}

import {
  BackupError,
  isBackupError,
  type TemporaryObject,
  type RemoveTemporariesOptions,
} from '@stowage/backup-core'
import { collect } from '@stowage/http'
import { abortUpload } from './multipart.js'
import type { S3Transport } from './transport.js'
import { parseResponse } from './xml.js'

/**
 * Finds the uploads in parts that a killed process left in a bucket, which occupy space and are in no listing of objects, and
 * removes them. Only those to names that begin with `prefix`: others may be another program's.
 */
export async function removeOldUploads(
  transport: S3Transport,
  bucket: string,
  prefix: string,
  { olderThan, dryRun = false, signal }: RemoveTemporariesOptions,
): Promise<TemporaryObject[]> {
  const options = signal ? { signal } : {}
  const removed: TemporaryObject[] = []
  for await (const upload of listUploads(transport, bucket, prefix, signal)) {
    if (upload.begunAt >= olderThan) continue
    const { objectName, uploadId } = upload
    if (!dryRun) await abortUpload(transport, { container: bucket, objectName }, uploadId, options)
    removed.push({ container: bucket, name: objectName, sizeBytes: 0, modifiedAt: upload.begunAt })
  }
  return removed
}

interface Upload {
  readonly objectName: string
  readonly uploadId: string
  readonly begunAt: Date
}

async function* listUploads(
  transport: S3Transport,
  bucket: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Upload> {
  const what = `Listing the unfinished uploads of bucket ${bucket}`
  let markers: Readonly<Record<string, string>> = {}
  for (;;) {
    const page = await transport
      .send(
        {
          method: 'GET',
          bucket,
          query: { ...markers, 'max-uploads': '1000', prefix, uploads: '' },
          what,
          details: { container: bucket },
          accept: [200, 404],
          sink: () => collect(16 * 1024 * 1024),
        },
        signal,
      )
      .catch((error: unknown) => {
        // A store without uploads in parts has none that are unfinished.
        if (isBackupError(error) && [400, 405, 501].includes(error.details.status ?? 0)) return undefined
        throw error
      })
    if (!page || page.head.status === 404) return
    const root = parseResponse(page.value)
    if (root?.name !== 'ListMultipartUploadsResult') {
      const message = `${what} failed: the response is not a ListMultipartUploadsResult. Check the endpoint.`
      throw new BackupError('LISTING_INVALID', message, { container: bucket })
    }
    for (const entry of root.all('Upload')) {
      const [objectName, uploadId] = [entry.text('Key'), entry.text('UploadId')]
      const begunAt = new Date(entry.text('Initiated') ?? NaN)
      if (objectName?.startsWith(prefix) !== true || uploadId === undefined) continue
      if (!Number.isNaN(begunAt.getTime())) yield { objectName, uploadId, begunAt }
    }
    const [key, id] = [root.text('NextKeyMarker'), root.text('NextUploadIdMarker')]
    const next = { 'key-marker': key ?? '', 'upload-id-marker': id ?? '' }
    const isLast = root.text('IsTruncated')?.trim() !== 'true' || key === undefined
    if (
      isLast ||
      (next['key-marker'] === markers['key-marker'] &&
        next['upload-id-marker'] === markers['upload-id-marker'])
    )
      return
    markers = next
  }
}

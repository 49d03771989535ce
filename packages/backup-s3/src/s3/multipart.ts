import { BackupError, isBackupError, throwIfAborted, type StoreOptions } from '@stowage/backup-core'
import {
  AttemptFailure,
  bareEtag,
  bodyOf,
  collect,
  discard,
  headerOf,
  headObject,
  type NewObject,
  type ObjectServer,
  type ObjectAddress,
  type PutState,
} from '@stowage/http'
import { createHash } from 'node:crypto'
import { objectKeyPath } from './names.js'
import { writerHeader } from './s3-objects.js'
import type { S3Transport } from './transport.js'
import { escapeXml, parseResponse } from './xml.js'

const maxParts = 10_000
const minPartBytes = 64 * 1024 ** 2
const abortMs = 30_000

/** Where an object is stored in parts. */
export interface MultipartOptions {
  readonly transport: S3Transport
  readonly objects: ObjectServer
  readonly encryption: Readonly<Record<string, string>>
  /** The size of a part, unless the object needs larger ones. @default 64 MiB */
  readonly partBytes?: number
}

/**
 * Stores an object in parts, for objects that are too large for one PUT. One part is in memory at a time, and each is sent with
 * its MD5. The object is visible only when it is complete; after a failure the parts are removed.
 */
export async function putInParts(
  { transport, objects, encryption, partBytes = minPartBytes }: MultipartOptions,
  { container, objectName, body, exclusive }: NewObject,
  state: PutState,
  signal?: AbortSignal,
): Promise<void> {
  const object = { container, objectName }
  const what = `Storing object ${objectName} in container ${container}`
  const sizeBytes = Math.max(partBytes, Math.ceil(body.lengthBytes / maxParts))
  const call = { bucket: container, keyPath: objectKeyPath(container, objectName), details: object }
  const conditions: Record<string, string> = exclusive ? { 'if-none-match': '*' } : {}
  const writer: Record<string, string> = exclusive ? { [writerHeader]: exclusive.writerId } : {}
  const uploadId = await begin(transport, call, what, { ...writer, ...encryption }, signal)
  try {
    const etags: string[] = []
    for await (const part of partsOf(body.stream(), sizeBytes)) {
      throwIfAborted(signal, what)
      const partNumber = String(etags.length + 1)
      const { head } = await transport.send(
        {
          ...call,
          method: 'PUT',
          query: { partNumber, uploadId },
          headers: { 'content-md5': createHash('md5').update(part).digest('base64'), ...encryption },
          body: bodyOf(part),
          what: `${what} (part ${partNumber})`,
          accept: [200],
          sink: discard,
        },
        signal,
      )
      etags.push(headerOf(head, 'etag') ?? '')
    }
    state.maybeStored = true
    const completion = { ...call, query: { uploadId }, headers: conditions }
    await complete(transport, completion, what, etags, signal).catch(async (error: unknown) => {
      // After a lost response the upload is gone: it became the object, or was removed.
      const isGone = isBackupError(error) && error.details.status === 404
      if (!isGone || !(await isStored(objects, object, body.lengthBytes, etags.length, signal))) throw error
    })
  } catch (error) {
    await abortUpload(transport, object, uploadId, { signal: AbortSignal.timeout(abortMs) }).catch(
      () => undefined,
    )
    throw error
  }
}

interface ObjectTarget {
  readonly bucket: string
  readonly keyPath: string
  readonly details: ObjectAddress
}

async function begin(
  transport: S3Transport,
  call: ObjectTarget,
  what: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { value } = await transport.send(
    {
      ...call,
      method: 'POST',
      query: { uploads: '' },
      headers: { 'content-type': 'application/octet-stream', ...headers },
      signedBody: Buffer.alloc(0),
      what: `${what} (beginning its parts)`,
      accept: [200],
      sink: () => collect(64 * 1024),
    },
    signal,
  )
  const uploadId = parseResponse(value)?.text('UploadId')
  if (uploadId === undefined || uploadId === '')
    throw new BackupError('STORE_FAILED', `${what} failed: the store named no upload.`, call.details)
  return uploadId
}

/** The response is a 200 also for a failure, which its body reports. */
async function complete(
  transport: S3Transport,
  call: ObjectTarget & { readonly query: { uploadId: string }; readonly headers: Record<string, string> },
  what: string,
  etags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const parts = etags.map(
    (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
  )
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
  await transport.send(
    {
      ...call,
      method: 'POST',
      signedBody: body,
      isPaced: true,
      what: `${what} (completing its parts)`,
      accept: [200],
      sink: () => {
        const sink = collect(64 * 1024, true)
        return {
          push: sink.push,
          end: () => {
            const root = parseResponse(sink.end())
            if (root?.name === 'CompleteMultipartUploadResult') return bareEtag(root.text('ETag') ?? '')
            const code = root?.text('Code') ?? 'no result'
            const error = new BackupError(
              'STORE_FAILED',
              `${what} failed: its parts were not joined (${code}).`,
              {
                ...call.details,
              },
            )
            throw new AttemptFailure(error, 'after-backoff', { mayHaveHappened: true, maxRetries: 3 })
          },
        }
      },
    },
    signal,
  )
}

/** Whether an object of this length was joined from as many parts. */
async function isStored(
  objects: ObjectServer,
  object: ObjectAddress,
  lengthBytes: number,
  parts: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const head = await headObject(objects, object, 'Checking', signal ? { signal } : {})
  if (!head) return false
  const etag = bareEtag(headerOf(head, 'etag') ?? '')
  return headerOf(head, 'content-length') === String(lengthBytes) && etag.endsWith(`-${parts}`)
}

/** Removes the parts of an upload that was not completed. */
export async function abortUpload(
  transport: S3Transport,
  { container, objectName }: ObjectAddress,
  uploadId: string,
  { signal }: StoreOptions = {},
): Promise<void> {
  await transport.send(
    {
      method: 'DELETE',
      bucket: container,
      keyPath: objectKeyPath(container, objectName),
      query: { uploadId },
      what: `Removing the parts of object ${objectName} in bucket ${container}`,
      details: { container, objectName },
      accept: [204, 200, 404],
      sink: discard,
    },
    signal,
    { retries: 2 },
  )
}

/** Collects a stream into parts of one size; the last one may be shorter. */
async function* partsOf(stream: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let part = Buffer.allocUnsafeSlow(sizeBytes)
  let filledBytes = 0
  for await (const piece of stream) {
    for (let offset = 0; offset < piece.byteLength;) {
      const taken = Math.min(sizeBytes - filledBytes, piece.byteLength - offset)
      part.set(piece.subarray(offset, offset + taken), filledBytes)
      filledBytes += taken
      offset += taken
      if (filledBytes < sizeBytes) continue
      yield part
      part = Buffer.allocUnsafeSlow(sizeBytes)
      filledBytes = 0
    }
  }
  if (filledBytes > 0) yield part.subarray(0, filledBytes)
}

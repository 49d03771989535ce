import { BackupError, isBackupError, throwIfAborted, type ReplayableBody } from '@stowage/backup-core'
import {
  abortableSleep,
  AttemptFailure,
  discard,
  headerOf,
  requestIdOf,
  type ResponseHead,
  withoutUndefined,
} from '@stowage/http'
import {
  conflictAt,
  hashBody,
  headObject,
  md5Of,
  ownerOf,
  writerHeader,
  type ObjectAddress,
} from './object-state.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** An object to store. */
export interface NewObject {
  readonly container: string
  readonly objectName: string
  readonly body: ReplayableBody
  /** Creates the object, and never replaces one that another writer stored. @default an existing object is replaced */
  readonly exclusive?: ExclusiveWriter
}

/** The writer of an object that is created exclusively. */
export interface ExclusiveWriter {
  /** Unique, and stored with the object: identifies the writer. */
  readonly writerId: string
  /**
   * The delay before a claim is checked again; 0 for objects that a claim protects. Swift checks the existence of an object
   * when a PUT begins, and stores it when the body has arrived, without a lock: of concurrent writers all may receive 201, and
   * the object of the last one remains. After the delay the requests that passed that check have ended.
   */
  readonly settleMs: number
}

/** What is known of an object while and after it is stored. */
export interface PutState {
  /** Whether the server may have stored the object, or may yet store it for an interrupted request. */
  maybeStored: boolean
}

/**
 * Stores a whole object, and verifies that it is stored: sends its MD5 first, if it is known, and compares the ETag of the
 * response with it.
 *
 * @throws `CONTAINER_MISSING`, `QUOTA_EXCEEDED`, `OBJECT_CORRUPT`, `CONFLICT` when a newer object won, or when the object
 * is to be created and exists.
 */
export async function putObject(
  transport: SwiftTransport,
  object: NewObject,
  state: PutState,
  signal?: AbortSignal,
): Promise<void> {
  const { container, objectName, body, exclusive } = object
  const path = objectPath(container, objectName)
  throwIfAborted(signal, `Storing object ${objectName}`)
  // With an MD5 before the body Swift rejects other bytes; with one that is known after it, they are stored again.
  const ahead = body.md5OfStream ? undefined : await (body.md5?.() ?? hashBody(body, signal))
  const md5OfSent = async (): Promise<string | undefined> => ahead ?? body.md5OfStream?.()
  const what = `Storing object ${objectName} in container ${container}`
  const details = { container, objectName }

  const put = async (headers: Readonly<Record<string, string>>): Promise<ResponseHead> => {
    const before = state.maybeStored
    state.maybeStored = true
    try {
      const { head } = await transport.sendOnce(
        {
          method: 'PUT',
          path,
          headers: {
            ...(ahead === undefined ? {} : { etag: ahead }),
            'content-type': 'application/octet-stream',
            ...headers,
          },
          body,
          what,
          details,
          accept: [201, 202],
          sink: discard,
          refusal: (status, text) => refusal(status, text, what),
        },
        signal,
      )
      checkEtag(head, await md5OfSent(), what, details)
      return head
    } catch (failure) {
      if (failure instanceof AttemptFailure && !failure.mayHaveHappened) state.maybeStored = before
      throw failure
    }
  }

  const conflict = (cause?: Error): BackupError => {
    state.maybeStored = false
    return conflictAt(what, details, cause)
  }

  const create = async ({ writerId, settleMs }: ExclusiveWriter): Promise<ResponseHead> => {
    const once = { once: true, ...withoutUndefined({ signal }) }
    // After a lost response the existing object may be ours. It is not taken as stored, but sent again: the failed request may
    // have reached too few replicas, and the MD5 of a streamed body is that of its last stream. A claim is checked first,
    // since some gateways ignore the condition.
    const mayExist = state.maybeStored || settleMs > 0
    const found = mayExist ? await ownerOf(transport, object, writerId, once) : 'none'
    if (found === 'other') throw conflict()
    try {
      const condition: Record<string, string> = found === 'ours' ? {} : { 'if-none-match': '*' }
      return await put({ ...condition, [writerHeader]: writerId })
    } catch (failure) {
      if (!isPreconditionFailed(failure)) throw failure
      const owner = await ownerOf(transport, object, writerId, once)
      if (owner === 'other') throw conflict(failure.error)
      // Ours: a proxy sent the request twice. None: it was deleted in the meantime.
      state.maybeStored ||= owner === 'ours'
      throw new AttemptFailure(conflictAt(what, details, failure.error), 'after-backoff', { maxRetries: 2 })
    }
  }

  const head = await transport.retrying(what, () => (exclusive ? create(exclusive) : put({})), signal)
  // Without an ETag in the response, or after losing against a newer object (202), what is stored is unknown.
  if (head.status === 202 || md5Of(head) === undefined) {
    const expected = { md5: await md5OfSent(), lengthBytes: body.lengthBytes, writerId: exclusive?.writerId }
    await confirmStored(transport, object, expected, signal).catch((error: unknown) => {
      if (exclusive && isBackupError(error, 'CONFLICT')) state.maybeStored = false
      throw error
    })
  }
  if (exclusive && exclusive.settleMs > 0) {
    await abortableSleep(exclusive.settleMs, signal)
    const owner = await ownerOf(transport, object, exclusive.writerId, withoutUndefined({ signal }))
    if (owner === 'none')
      throw new BackupError(
        'STORE_FAILED',
        `${what} failed: the object was deleted as soon as it was stored. Check which program deletes objects of container ${container}.`,
        details,
      )
    if (owner !== 'ours') throw conflict()
  }
}

function checkEtag(head: ResponseHead, md5: string | undefined, what: string, details: object): void {
  const stored = md5Of(head)
  if (stored === undefined || stored === md5 || head.status === 202) return
  const requestId = requestIdOf(head)
  throw new AttemptFailure(
    new BackupError(
      'OBJECT_CORRUPT',
      `${what} failed: MD5 of object in swift ${stored} is not the same as MD5 of object sent to swift ${md5 ?? '(not sent whole)'}.`,
      { ...details, ...(requestId === undefined ? {} : { requestId }) },
    ),
    'after-backoff',
    { mayHaveHappened: true },
  )
}

function isPreconditionFailed(failure: unknown): failure is AttemptFailure {
  return failure instanceof AttemptFailure && failure.error.details.status === 412
}

function refusal(
  status: number,
  text: string,
  what: string,
): { code: 'CONTAINER_MISSING' | 'OBJECT_TOO_LARGE'; message: string } | undefined {
  if (status === 404) {
    return {
      code: 'CONTAINER_MISSING',
      message: `${what} failed: the container does not exist any more. Check which program deleted it, and repeat the backup.`,
    }
  }
  if (status === 413 && !/quota/i.test(text)) {
    return {
      code: 'OBJECT_TOO_LARGE',
      message: `${what} failed: it exceeds the size limit of the cluster. Set a smaller chunkSizeBytes.`,
    }
  }
  return undefined
}

/** The properties of the sent object. */
interface SentObject {
  /** Lower-case hex; undefined if the body was not sent completely. */
  readonly md5: string | undefined
  readonly lengthBytes: number
  /** The required writer; undefined for any. */
  readonly writerId: string | undefined
}

/**
 * Verifies that the stored object is the one that was sent.
 *
 * @throws `CONFLICT` if it is another writer's, `OBJECT_CORRUPT` if it is this writer's with other bytes
 */
async function confirmStored(
  transport: SwiftTransport,
  { container, objectName }: ObjectAddress,
  sent: SentObject,
  signal?: AbortSignal,
): Promise<void> {
  const details = { container, objectName }
  const what = `Storing object ${objectName} in container ${container}`
  const head = await headObject(transport, details, 'Checking', withoutUndefined({ signal }))
  if (!head) {
    const message = `${what} failed: the server accepted it, but it does not exist. Check the health of the cluster.`
    throw new BackupError('STORE_FAILED', message, { ...details, status: 404 })
  }
  const stored = md5Of(head)
  const same =
    stored === undefined ? headerOf(head, 'content-length') === String(sent.lengthBytes) : stored === sent.md5
  const ours = sent.writerId === undefined || headerOf(head, writerHeader) === sent.writerId
  if (same && ours) return
  if (ours && sent.writerId !== undefined)
    throw new BackupError(
      'OBJECT_CORRUPT',
      `${what} failed: the stored object is not the one that was sent. Check the health of the cluster, and repeat the backup.`,
      details,
    )
  throw new BackupError(
    'CONFLICT',
    `${what} failed: another writer stored an object of that name concurrently. Search for a second backup with the same id.`,
    details,
  )
}

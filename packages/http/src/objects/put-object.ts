import { BackupError, isBackupError, throwIfAborted, type ReplayableBody } from '@stowage/backup-core'
import { discard } from '../bodies.js'
import { headerOf, requestIdOf, type ResponseHead } from '../exchange.js'
import { abortableSleep, AttemptFailure } from '../retry.js'
import { withoutUndefined } from '../without-undefined.js'
import { conflictAt, hashBody, headObject, ownerOf } from './object-state.js'
import type { ObjectAddress, ObjectServer } from './object-server.js'

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
   * The delay before a claim is checked again; 0 for objects that a claim protects, and where the server locks a name. Swift
   * checks the existence of an object
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
  server: ObjectServer,
  object: NewObject,
  state: PutState,
  signal?: AbortSignal,
): Promise<void> {
  const { container, objectName, body, exclusive } = object
  throwIfAborted(signal, `Storing object ${objectName}`)
  // With an MD5 before the body the server rejects other bytes; with one that is known after it, they are stored again.
  let ahead: string | undefined
  const md5OfSent = async (): Promise<string | undefined> => ahead ?? body.md5OfStream?.()
  const what = `Storing object ${objectName} in container ${container}`
  const details = { container, objectName }

  const put = async (exclusively?: PutCondition): Promise<ResponseHead> => {
    const { writerId, mustBeNew = false } = exclusively ?? {}
    if (!body.md5OfStream) ahead ??= await (body.md5?.() ?? hashBody(body, signal))
    // The source may have changed since the last attempt.
    else ahead = server.md5Ahead?.isRequired() === true ? await hashBody(body, signal) : undefined
    const before = state.maybeStored
    state.maybeStored = true
    const sending = watched(body)
    try {
      const { head } = await server.sendOnce(
        {
          method: 'PUT',
          object: details,
          headers: {
            'content-type': 'application/octet-stream',
            ...server.putHeaders({ md5: ahead, mustBeNew }),
            ...(writerId === undefined ? {} : { [server.writerHeader]: writerId }),
          },
          body: sending.body,
          what,
          details,
          accept: server.putStatuses,
          sink: discard,
          refusal: (status, text) => server.putRefusal?.(status, text, what),
        },
        signal,
      )
      const stored = server.md5Of(head)
      if (stored === undefined && ahead === undefined && server.md5Ahead)
        throw server.md5Ahead.unconfirmed(head, what, details)
      checkMd5(head, stored, await md5OfSent(), what, details)
      return head
    } catch (failure) {
      // No server stores an object without its last bytes: one of its name is another writer's.
      const isRefused = failure instanceof AttemptFailure && !failure.mayHaveHappened
      if (isRefused || !sending.isWhole()) state.maybeStored = before
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
    const found = mayExist ? await ownerOf(server, object, writerId, once) : 'none'
    if (found === 'other') throw conflict()
    try {
      return await put({ writerId, mustBeNew: found !== 'ours' })
    } catch (failure) {
      if (!isPreconditionFailed(failure)) throw failure
      const owner = await ownerOf(server, object, writerId, once)
      if (owner === 'other') throw conflict(failure.error)
      // Ours: a proxy sent the request twice. None: it was deleted in the meantime.
      state.maybeStored ||= owner === 'ours'
      throw new AttemptFailure(conflictAt(what, details, failure.error), 'after-backoff', { maxRetries: 2 })
    }
  }

  const head = await server.retrying(what, () => (exclusive ? create(exclusive) : put()), signal)
  // Without an MD5 in the response, or after losing against a newer object (202), what is stored is unknown, unless the server
  // has verified an MD5 that it never reports.
  if (head.status === 202 || (server.md5Of(head) === undefined && !server.md5Ahead)) {
    const expected = { md5: await md5OfSent(), lengthBytes: body.lengthBytes, writerId: exclusive?.writerId }
    await confirmStored(server, object, expected, signal).catch((error: unknown) => {
      if (exclusive && isBackupError(error, 'CONFLICT')) state.maybeStored = false
      throw error
    })
  }
  if (exclusive && exclusive.settleMs > 0) {
    await abortableSleep(exclusive.settleMs, signal)
    const owner = await ownerOf(server, object, exclusive.writerId, withoutUndefined({ signal }))
    if (owner === 'none')
      throw new BackupError(
        'STORE_FAILED',
        `${what} failed: the object was deleted as soon as it was stored. Check which program deletes objects of container ${container}.`,
        details,
      )
    if (owner !== 'ours') throw conflict()
  }
}

/** Returns a body, and whether its last bytes were produced, by any of its streams. */
function watched(body: ReplayableBody): { readonly body: ReplayableBody; readonly isWhole: () => boolean } {
  let isWhole = body.lengthBytes === 0
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    let producedBytes = 0
    for await (const piece of body.stream()) {
      producedBytes += piece.byteLength
      isWhole ||= producedBytes >= body.lengthBytes
      yield piece
    }
  }
  return {
    body: { lengthBytes: body.lengthBytes, stream },
    isWhole: () => isWhole,
  }
}

/** Whether the object must be new, and whose it is. */
interface PutCondition {
  readonly writerId: string
  readonly mustBeNew: boolean
}

function checkMd5(
  head: ResponseHead,
  stored: string | undefined,
  sent: string | undefined,
  what: string,
  details: object,
): void {
  if (stored === undefined || stored === sent || head.status === 202) return
  const requestId = requestIdOf(head)
  throw new AttemptFailure(
    new BackupError(
      'OBJECT_CORRUPT',
      `${what} failed: MD5 of object in the store ${stored} is not the same as MD5 of object sent to the store ${sent ?? '(not sent whole)'}.`,
      { ...details, ...(requestId === undefined ? {} : { requestId }) },
    ),
    'after-backoff',
    { mayHaveHappened: true },
  )
}

function isPreconditionFailed(failure: unknown): failure is AttemptFailure {
  return failure instanceof AttemptFailure && failure.error.details.status === 412
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
  server: ObjectServer,
  { container, objectName }: ObjectAddress,
  sent: SentObject,
  signal?: AbortSignal,
): Promise<void> {
  const details = { container, objectName }
  const what = `Storing object ${objectName} in container ${container}`
  const head = await headObject(server, details, 'Checking', withoutUndefined({ signal }))
  if (!head) {
    const message = `${what} failed: the server accepted it, but it does not exist. Check the health of the cluster.`
    throw new BackupError('STORE_FAILED', message, { ...details, status: 404 })
  }
  const stored = server.md5Of(head)
  const same =
    stored === undefined ? headerOf(head, 'content-length') === String(sent.lengthBytes) : stored === sent.md5
  const ours = sent.writerId === undefined || headerOf(head, server.writerHeader) === sent.writerId
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

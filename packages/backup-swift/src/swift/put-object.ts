import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { ReplayableBody } from '@stowage/backup-core'
import { AttemptFailure } from '../http/attempt-failure.js'
import { discard } from '../http/body-sinks.js'
import type { ResponseHead } from '../http/response.js'
import { requestIdOf } from '../http/response.js'
import { hashBody, md5Of } from './etag.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './swift-transport.js'

/** An object to store. */
export interface NewObject {
  readonly container: string
  readonly objectName: string
  readonly body: ReplayableBody
}

/** What became of an object as far as can be told while and after it is stored. */
export interface PutState {
  /** Whether the server may hold the object, or get it yet from a request that was cut off. */
  maybeStored: boolean
}

/**
 * Stores an object whole, and makes sure of it: its MD5 goes ahead of it, where it is known, and the answer's ETag has to
 * be that MD5.
 *
 * @throws `CONTAINER_MISSING`, `QUOTA_EXCEEDED`, `OBJECT_CORRUPT`, `CONFLICT` when a newer object won.
 */
export async function putObject(
  transport: SwiftTransport,
  object: NewObject,
  state: PutState,
  signal?: AbortSignal,
): Promise<void> {
  const { container, objectName, body } = object
  const path = objectPath(container, objectName)
  throwIfAborted(signal, `Storing object ${objectName}`)
  // An MD5 that goes ahead keeps Swift from storing other bytes; one that comes after has it store them anew.
  const ahead = body.md5OfStream ? undefined : await (body.md5?.() ?? hashBody(body, signal))
  const md5OfSent = async (): Promise<string | undefined> => ahead ?? body.md5OfStream?.()
  const what = `Storing object ${objectName} in container ${container}`
  const details = { container, objectName }
  const { head } = await transport.send(
    {
      method: 'PUT',
      path,
      headers: {
        ...(ahead === undefined ? {} : { etag: ahead }),
        'content-type': 'application/octet-stream',
      },
      body,
      what,
      details,
      accept: (status) => status === 201 || status === 202,
      sink: discard,
      check: async (answer) => {
        checkEtag(answer, await md5OfSent(), what, details)
      },
      refusal: (status, text) => refusal(status, text, what),
      onAttempt: () => {
        const before = state.maybeStored
        state.maybeStored = true
        return (failure) => {
          if (failure instanceof AttemptFailure && !failure.mayHaveHappened) state.maybeStored = before
        }
      },
    },
    signal,
  )
  // A PUT without an ETag in its answer, and one that lost against a newer object, have stored we do not know what.
  if (head.status === 202 || md5Of(head) === undefined) {
    await confirm(transport, path, {
      md5: await md5OfSent(),
      lengthBytes: body.lengthBytes,
      what,
      details,
      signal,
    })
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
    undefined,
    true,
  )
}

interface Expected {
  readonly md5: string | undefined
  readonly lengthBytes: number
  readonly what: string
  readonly details: { readonly container: string; readonly objectName: string }
  readonly signal: AbortSignal | undefined
}

async function confirm(transport: SwiftTransport, path: string, expected: Expected): Promise<void> {
  const { md5, lengthBytes, what, details, signal } = expected
  const { head } = await transport.send(
    {
      method: 'HEAD',
      path,
      headers: { 'x-newest': 'true' },
      what: `Looking whether the object ${details.objectName} is there`,
      details,
      accept: (status) => status === 200 || status === 204,
      sink: discard,
    },
    signal,
  )
  const stored = md5Of(head)
  const length = head.headers['content-length']
  if (stored === undefined ? length === String(lengthBytes) : stored === md5) return
  throw new BackupError(
    'CONFLICT',
    `${what} failed: another object of that name was stored at the same time.`,
    details,
  )
}

function refusal(
  status: number,
  text: string,
  what: string,
): { code: 'CONTAINER_MISSING' | 'OBJECT_TOO_LARGE'; message: string } | undefined {
  if (status === 404) {
    return { code: 'CONTAINER_MISSING', message: `${what} failed: there is no such container.` }
  }
  if (status === 413 && !/quota/i.test(text)) {
    return {
      code: 'OBJECT_TOO_LARGE',
      message: `${what} failed: the cluster takes no object of that size. Set a smaller chunkSizeBytes.`,
    }
  }
  return undefined
}

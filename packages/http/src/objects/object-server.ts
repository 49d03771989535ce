import type { ReplayableBody } from '@stowage/backup-core'
import type { Refusal, Sending } from '../client.js'
import type { HttpRequest, HttpResponse, ResponseHead } from '../exchange.js'
import type { AttemptFailure, RetryPolicy } from '../retry.js'

/** The name of an object with its container, also for the details of an error. */
export interface ObjectAddress {
  readonly container: string
  readonly objectName: string
}

/** A request to one object. */
export interface ObjectCall<T> extends Sending<T> {
  readonly method: HttpRequest['method']
  readonly object: ObjectAddress
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: ReplayableBody
}

/** What is known of a body when its PUT begins. */
export interface PutHeaders {
  /** Lower-case hex; undefined if it is known only after the body was sent. */
  readonly md5: string | undefined
  /** The PUT must fail with 412 where the object exists. */
  readonly mustBeNew: boolean
}

/**
 * A store that serves each object at a URL of its own, and what is special about it: what {@link HttpObjectReader},
 * {@link putObject} and {@link deleteObject} need to know. It adds the credentials of a request, and maps its statuses.
 */
export interface ObjectServer {
  /** Makes one attempt. Rejects with an {@link AttemptFailure}, or with an error that no retry can solve. */
  sendOnce<T>(call: ObjectCall<T>, signal?: AbortSignal): Promise<HttpResponse<T>>

  /** Retries an attempt by the policy of the store; fields of `policy` take precedence. */
  retrying<T>(
    operation: string,
    attempt: () => Promise<T>,
    signal?: AbortSignal,
    policy?: Partial<RetryPolicy>,
  ): Promise<T>

  /** The MD5 of the stored bytes in lower-case hex, by the headers of a response; undefined if they do not have it. */
  md5Of(head: ResponseHead): string | undefined

  /** The headers that send an MD5 for the store to verify, and make a PUT conditional. */
  putHeaders(put: PutHeaders): Readonly<Record<string, string>>

  /** The statuses of a PUT that is stored. 202, of Swift, says that a newer object was kept instead. */
  readonly putStatuses: readonly number[]

  /** The meaning of a status that refuses a PUT, if it is special. `what` begins its message. */
  putRefusal?(status: number, text: string, what: string): Refusal | undefined

  /**
   * The header that is stored with an object and names its writer. The ETag does not identify it: two backups of one volume
   * store the same bytes.
   */
  readonly writerHeader: string

  /** Headers of a GET or HEAD that must not be answered from a replica that lags behind. @default none */
  readonly newestHeaders?: Readonly<Record<string, string>>

  /**
   * For a store whose ETag is not always an MD5. `isRequired` says whether the MD5 of a body must be sent with it, since the
   * response would not confirm it; `unconfirmed` returns the failure of a PUT without that whose response did not.
   *
   * @default such a PUT is confirmed by the length of what is stored
   */
  readonly md5Ahead?: {
    isRequired(): boolean
    unconfirmed(head: ResponseHead, what: string, object: ObjectAddress): AttemptFailure
  }
}

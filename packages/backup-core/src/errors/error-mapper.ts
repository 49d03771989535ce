import { isAbort, reasonOfAbort, throwIfAborted } from './abort.js'
import { BackupError, isBackupError, type BackupErrorCode } from './backup-error.js'

/** A call of a store's client, for the error that it may end with. */
export interface CallContext {
  /** For the message, after "Cannot": `write the object`. */
  readonly action: string
  readonly container?: string | undefined
  readonly objectName?: string | undefined
  /** The signal that the call was passed. */
  readonly signal?: AbortSignal | undefined
}

/** What a client's error means. */
export interface ErrorMeaning {
  readonly code: BackupErrorCode
  /** What the user can do, in a sentence. @default nothing */
  readonly advice?: string
  /** For the message, in parentheses, instead of the error's own: `ENOSPC`, `status 507`. */
  readonly reason?: string
  /** The status of an HTTP answer, for `details`. */
  readonly status?: number
  /** The store's own name for the request, for `details`. */
  readonly requestId?: string
}

/**
 * Says what an error of a client means: a code, or a code with more for the message. Undefined for one that it does not
 * recognise, which becomes `STORE_FAILED`.
 */
export type CodeOf<Context extends CallContext = CallContext> = (
  error: unknown,
  context: Context,
) => BackupErrorCode | ErrorMeaning | undefined

/** Maps what one client throws to {@link BackupError}s. Made by {@link errorMapper}. */
export interface ErrorMapper<Context extends CallContext = CallContext> {
  /**
   * The `BackupError` for what a call threw, with it as `cause`.
   *
   * A `BackupError` is returned as it is. An abort of the context's signal is `ABORTED`; so is, once that signal has been
   * aborted, an error that `codeOf` does not recognise, or calls `STORE_FAILED` or `STORE_UNAVAILABLE`, since a
   * connection that is cut fails in many ways. What the store answered counts more: `CONFLICT` stays `CONFLICT`.
   */
  errorOf(error: unknown, context: Context): BackupError

  /** Makes a call, and rejects with {@link errorOf} what it throws. An aborted signal rejects without the call. */
  run<T>(context: Context, call: () => T | PromiseLike<T>): Promise<T>

  /** The same for a listing or another stream: the signal is checked, and errors are mapped, at each item. */
  iterate<T>(context: Context, open: () => AsyncIterable<T>): AsyncGenerator<T>
}

/**
 * Makes the mapper from a client's errors to Stowage's codes that a backend needs around each call of its client.
 *
 * @example
 * ```ts
 * const errors = errorMapper((error) => {
 *   if (!(error instanceof S3ServiceException)) return undefined
 *   if (error.name === 'NoSuchKey') return 'OBJECT_MISSING'
 *   if (error.name === 'SlowDown') return { code: 'RATE_LIMITED', advice: 'Lower `concurrency`.' }
 *   return undefined
 * })
 *
 * deleteObject(container: string, objectName: string, { signal }: StoreOptions): Promise<void> {
 *   return errors.run({ action: 'delete the object', container, objectName, signal }, () =>
 *     this.#client.delete(container, objectName, { signal }),
 *   )
 * }
 * ```
 */
export function errorMapper<Context extends CallContext = CallContext>(
  codeOf: CodeOf<Context>,
): ErrorMapper<Context> {
  const errorOf = (error: unknown, context: Context): BackupError => {
    if (isBackupError(error)) return error
    const { signal } = context
    if (signal && isAbort(error, signal)) return reasonOfAbort(signal)
    const found = codeOf(error, context)
    const meaning: ErrorMeaning = typeof found === 'object' ? found : { code: found ?? 'STORE_FAILED' }
    if (signal?.aborted && mayBeAbort.has(meaning.code)) return reasonOfAbort(signal)
    return describedError(error, meaning, context)
  }
  return {
    errorOf,

    async run(context, call) {
      throwIfAborted(context.signal)
      try {
        return await call()
      } catch (error) {
        throw errorOf(error, context)
      }
    },

    async *iterate(context, open) {
      throwIfAborted(context.signal)
      try {
        for await (const item of open()) {
          throwIfAborted(context.signal)
          yield item
        }
      } catch (error) {
        throw errorOf(error, context)
      }
    },
  }
}

/** What a client may report of a request that an abort cut off. */
const mayBeAbort: ReadonlySet<BackupErrorCode> = new Set(['STORE_FAILED', 'STORE_UNAVAILABLE'])

function describedError(cause: unknown, meaning: ErrorMeaning, context: CallContext): BackupError {
  const { action, container, objectName } = context
  const { code, advice, reason, status, requestId } = meaning
  const message = `Cannot ${action}${placeOf(context)} (${reason ?? reasonOf(cause)}).`
  return new BackupError(code, advice === undefined ? message : `${message} ${advice}`, {
    cause,
    ...(container === undefined ? {} : { container }),
    ...(objectName === undefined ? {} : { objectName }),
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
  })
}

function placeOf({ container, objectName }: CallContext): string {
  const object = objectName === undefined ? '' : ` "${objectName}"`
  if (container === undefined) return object
  return objectName === undefined ? ` "${container}"` : `${object} in "${container}"`
}

function reasonOf(cause: unknown): string {
  const text = typeof cause === 'string' ? cause : messageOf(cause)
  return text.trim().replace(/\.$/, '') || 'unknown error'
}

function messageOf(cause: unknown): string {
  // Not instanceof: an error of another realm, as of a test runner's, is none of this one's.
  if (typeof cause !== 'object' || cause === null || !('message' in cause)) return ''
  return typeof cause.message === 'string' ? cause.message : ''
}

/**
 * An iterable whose errors are mapped, and whose items are passed on as they are. Not a generator: that would cost
 * several turns of the microtask queue for each of a million names.
 */
export function mapIterable<T>(
  open: () => AsyncIterable<T>,
  toError: (error: unknown) => unknown,
): AsyncIterable<T> {
  const fail = (error: unknown): never => {
    throw toError(error)
  }
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      let opened: AsyncIterator<T> | undefined
      const iterator = (): AsyncIterator<T> => (opened ??= open()[Symbol.asyncIterator]())
      return {
        async next() {
          try {
            return await iterator().next()
          } catch (error) {
            return fail(error)
          }
        },
        async return() {
          try {
            await opened?.return?.()
          } catch (error) {
            fail(error)
          }
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/**
 * The message of an error, with the name of what it is about before it where the message does not have that name: a sentence
 * that quotes it need not name the thing again.
 *
 * @param name - of an object, a container or a backup
 * @param shown - how the name is given, where it has to be: `container c`
 */
export function messageAbout(error: unknown, name: string, shown = name): string {
  const message = error instanceof Error ? error.message : String(error)
  return name !== '' && message.includes(name) ? message : `${shown}: ${message}`
}

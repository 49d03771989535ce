import {
  BackupError,
  isAbort,
  isBackupError,
  reasonOfAbort,
  throwIfAborted,
  type BackupErrorCode,
} from './backup-error.js'

/** A call of a store's client, for the error that it may end with. */
export interface CallContext {
  /** For the message, after "Cannot": `write the object`. */
  readonly action: string
  readonly container?: string | undefined
  readonly objectName?: string | undefined
  /** The signal that the call was passed. */
  readonly signal?: AbortSignal | undefined
}

/** The code and the message for a client's error. */
export interface ErrorMeaning {
  readonly code: BackupErrorCode
  /** What the user can do, in a sentence. @default nothing */
  readonly advice?: string
  /** For the message, in parentheses, instead of the error's own: `ENOSPC`, `status 507`. */
  readonly reason?: string
  /** The status of an HTTP response, for `details`. */
  readonly status?: number
  /** The store's own name for the request, for `details`. */
  readonly requestId?: string
}

/**
 * Returns the code for a client's error, or the code and more for the message. Undefined for an error that it does not
 * recognise, which becomes `STORE_FAILED`.
 */
export type CodeOf<Context extends CallContext = CallContext> = (
  error: unknown,
  context: Context,
) => BackupErrorCode | ErrorMeaning | undefined

/** Maps the errors of one client to {@link BackupError}s. Made by {@link errorMapper}. */
export interface ErrorMapper<Context extends CallContext = CallContext> {
  /**
   * Returns the `BackupError` for the error of a call, with that as `cause`.
   *
   * A `BackupError` is returned unchanged. An abort of the context's signal is `ABORTED`; so is, once that signal has been
   * aborted, an error that `codeOf` does not recognise, or maps to `STORE_FAILED` or `STORE_UNAVAILABLE`, since a
   * connection that is cut fails in many ways. A response of the store counts more: `CONFLICT` stays `CONFLICT`.
   */
  errorOf(error: unknown, context: Context): BackupError

  /** Makes a call, and maps its error with {@link errorOf}. Rejects without the call where the signal is aborted. */
  run<T>(context: Context, call: () => T | PromiseLike<T>): Promise<T>

  /** Does the same for a listing or another stream: the signal is checked, and errors are mapped, at each item. */
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
      return mapErrors(call, (error) => errorOf(error, context))
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

/** Codes that a client may report for a request that an abort cut off. */
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
  const text = typeof cause === 'string' || hasMessage(cause) ? messageOf(cause) : ''
  return text.trim().replace(/\.$/, '') || 'unknown error'
}

/** Returns the message of an error, or the text of any other value. */
export function messageOf(error: unknown): string {
  return hasMessage(error) ? error.message : String(error)
}

/** Not `instanceof Error`: that is false for an error of another realm, such as a test runner's. */
function hasMessage(error: unknown): error is { readonly message: string } {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  )
}

/** Makes a call, which may throw synchronously or return a plain value, and maps its error. */
export async function mapErrors<T>(
  call: () => T | PromiseLike<T>,
  toError: (error: unknown) => unknown,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toError(error)
  }
}

/**
 * Returns an iterable whose errors are mapped, and whose items are unchanged. Not a generator: that would cost several
 * microtasks for each of a million names.
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
 * Returns the message of an error, after the name of its object, container or backup unless the message contains that name.
 *
 * @param shown - the name as it is written before the message: `container c`
 */
export function messageAbout(error: unknown, name: string, shown = name): string {
  const message = messageOf(error)
  return name !== '' && message.includes(name) ? message : `${shown}: ${message}`
}

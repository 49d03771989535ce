import { describeValue } from '../checks/check-options.js'
import type {
  OpenSource,
  OpenTarget,
  TargetRequirements,
  VolumeExtent,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from '../contracts/volume.js'
import { BackupError, isBackupError, reasonOfAbort, type BackupErrorCode } from '../errors/backup-error.js'
import { mapErrors } from '../errors/error-mapper.js'

type Extents = AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>

/** A volume whose methods are a caller's own code: how its failures are reported. */
interface CheckedSide {
  readonly code: BackupErrorCode
  readonly failure: string
  /** Names the operation after an abort. */
  readonly operation: string
}

const sourceSide: CheckedSide = {
  code: 'SOURCE_READ',
  failure: 'Cannot read the source',
  operation: 'Reading the source',
}

const targetSide: CheckedSide = {
  code: 'TARGET_WRITE',
  failure: 'Cannot write the target',
  operation: 'The restore',
}

/** What is called, in errors (`read()`), and the signal that it was passed. */
interface CallPlace {
  readonly what: string
  readonly signal: AbortSignal | undefined
  readonly offsetBytes?: number | undefined
}

/**
 * Opens a source and validates what it returns, since it may be a caller's own.
 *
 * A wrong number of bytes would put memory of other chunks, or a size that no reader accepts, into a backup that then
 * verifies. Every error of a method, thrown synchronously or not, becomes a `BackupError`.
 *
 * @throws BackupError `OPTION_INVALID` for an invalid size, `SOURCE_READ` for anything else
 */
export async function openCheckedSource(
  source: VolumeSource,
  options: VolumeOpenOptions,
): Promise<OpenSource> {
  const { signal } = options
  const answer = await callSource({ what: 'openSource()', signal }, () => source.openSource(options))
  const open = answer as Partial<OpenSource> | null | undefined
  return closeOnFailure(open, () => {
    if (typeof open?.read === 'function' && typeof open.close === 'function')
      return checkedSource(open as OpenSource, signal)
    const expected = 'expected an object with sizeBytes, seekable, read() and close()'
    throw sourceError(`openSource() returned ${describeValue(answer)}, ${expected}`)
  })
}

function checkedSource(source: OpenSource, signal: AbortSignal | undefined): OpenSource {
  const { sizeBytes, seekable } = source as { readonly sizeBytes: unknown; readonly seekable: unknown }
  return {
    sizeBytes: sizeBytes === undefined ? undefined : requireSize(sizeBytes, 'The sizeBytes of a source'),
    seekable: seekable === true,
    async read(into, offsetBytes, options = {}) {
      const place = { what: 'read()', signal: options.signal, offsetBytes }
      const count: unknown = await callSource(place, () => source.read(into, offsetBytes, options))
      if (isByteCount(count) && count <= into.length) return count
      const what = `read() returned ${shownNumber(count)} at byte ${offsetBytes}`
      throw sourceError(`${what}, expected a whole number from 0 to ${into.length}`, undefined, offsetBytes)
    },
    async changed() {
      const message: unknown = await callSource({ what: 'changed()', signal }, () => source.changed?.())
      if (message === undefined || message === null) return undefined
      if (typeof message === 'string') return message
      throw sourceError(`changed() returned ${describeValue(message)}, expected a string or undefined`)
    },
    close: () => source.close(),
    ...(source.extents && {
      extents(options?: VolumeOpenOptions): Extents {
        try {
          // ExtentCursor refuses anything that is not iterable.
          return source.extents?.(options) as Extents
        } catch (error) {
          throw failedCall(sourceSide, { what: 'extents()', signal: options?.signal }, error)
        }
      },
    }),
    ...(source.changedSince && {
      changedSince: (backupId: string, options?: VolumeOpenOptions): Promise<Extents | undefined> =>
        callSource({ what: 'changedSince()', signal: options?.signal }, () =>
          source.changedSince?.(backupId, options),
        ),
    }),
  }
}

/**
 * Opens a target, which may be a caller's own, so that every error of its methods becomes a `BackupError`.
 *
 * @throws BackupError `TARGET_WRITE` where the target does not throw a `BackupError` itself
 */
export async function openCheckedTarget(
  target: VolumeTarget,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  const { signal } = requirements
  const call = <T>(what: string, run: () => T | Promise<T>, offsetBytes?: number): Promise<T> =>
    checkedCall(targetSide, { what, signal, offsetBytes }, run)
  const answer: unknown = await call('openTarget()', () => target.openTarget(requirements))
  const open = answer as OpenTarget
  const methods = answer as Partial<OpenTarget> | null | undefined
  if (![methods?.write, methods?.finish, methods?.close].every((method) => typeof method === 'function')) {
    await closeQuietly(methods)
    const expected = 'expected an object with readsAsZeros, write(), finish() and close()'
    throw volumeError(targetSide, `openTarget() returned ${describeValue(answer)}, ${expected}`)
  }
  const readsAsZeros: unknown = open.readsAsZeros
  return {
    readsAsZeros: readsAsZeros === true,
    write: (bytes, offsetBytes) => call('write()', () => open.write(bytes, offsetBytes), offsetBytes),
    finish: () => call('finish()', () => open.finish()),
    close: () => call('close()', () => open.close()),
    discard: () => call('discard()', () => open.discard?.()),
  }
}

/** Closes a source or a target after its outcome is decided, and ignores the errors of that. */
export async function closeQuietly(open: { close?(): Promise<void> } | null | undefined): Promise<void> {
  try {
    await open?.close?.()
  } catch {
    // The first error is the one to report; without one, nothing depends on the close.
  }
}

/** Runs `work`, and closes `open` if that fails. */
export async function closeOnFailure<T>(
  open: { close?(): Promise<void> } | null | undefined,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await closeQuietly(open)
    throw error
  }
}

/** Requires a whole number of bytes. @throws BackupError `OPTION_INVALID` */
export function requireSize(sizeBytes: unknown, what: string): number {
  if (isByteCount(sizeBytes)) return sizeBytes
  const message = `${what} must be a whole number of bytes, not ${shownNumber(sizeBytes)}.`
  throw new BackupError('OPTION_INVALID', message)
}

function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : describeValue(value)
}

/** Calls a method of a source, which may throw synchronously or return a plain value. */
export function callSource<T>(place: CallPlace, call: () => T | Promise<T>): Promise<T> {
  return checkedCall(sourceSide, place, call)
}

function checkedCall<T>(side: CheckedSide, place: CallPlace, call: () => T | Promise<T>): Promise<T> {
  return mapErrors(call, (error) => failedCall(side, place, error))
}

function failedCall(
  side: CheckedSide,
  { what, signal, offsetBytes }: CallPlace,
  error: unknown,
): BackupError {
  return errorOfCall(error, side.operation, signal, (why) =>
    volumeError(side, `${what} failed: ${why}`, error, offsetBytes),
  )
}

/** What a failed call is reported as: its own `BackupError`, the abort of the operation, or a new error with the reason. */
export function errorOfCall(
  error: unknown,
  operation: string,
  signal: AbortSignal | undefined,
  toError: (why: string) => BackupError,
): BackupError {
  if (isBackupError(error)) return error
  if (signal?.aborted === true) return reasonOfAbort(signal, operation)
  return toError(error instanceof Error ? error.message : describeValue(error))
}

/** The error for a source that failed, or returned something invalid. */
export function sourceError(what: string, cause?: unknown, offsetBytes?: number): BackupError {
  return volumeError(sourceSide, what, cause, offsetBytes)
}

function volumeError(
  { code, failure }: CheckedSide,
  what: string,
  cause?: unknown,
  offsetBytes?: number,
): BackupError {
  const place = offsetBytes === undefined ? {} : { offsetBytes }
  return new BackupError(code, `${failure}: ${what}.`, { cause, ...place })
}

/**
 * Waits for `work`, or until the signal is aborted: for work that takes no signal and may never settle. The result of
 * work that is abandoned is ignored. Rejects as `throwIfAborted` throws.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  operation: string,
): Promise<T> {
  if (signal === undefined) return work
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(reasonOfAbort(signal, operation))
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** Walks the ascending list of extents of a source, one range of the volume after another. */
export class ExtentCursor implements AsyncDisposable {
  readonly #extents: AsyncGenerator<VolumeExtent, undefined>
  #next: VolumeExtent | undefined

  /**
   * @param what - names the list in an error: `extents()`
   * @param signal - the one that the source was passed
   */
  constructor(extents: Extents, what: string, signal?: AbortSignal) {
    this.#extents = checkedExtents(extents, { what, signal })
  }

  /** The extents between two offsets, cut to them. The ranges of successive calls must ascend without overlaps. */
  async within(startBytes: number, endBytes: number): Promise<VolumeExtent[]> {
    const found: VolumeExtent[] = []
    for (;;) {
      this.#next ??= (await this.#extents.next()).value
      if (!this.#next) return found
      const { offsetBytes, lengthBytes } = this.#next
      const start = Math.max(startBytes, offsetBytes)
      const end = Math.min(endBytes, offsetBytes + lengthBytes)
      if (end > start) found.push({ offsetBytes: start, lengthBytes: end - start })
      if (offsetBytes + lengthBytes > endBytes) return found
      this.#next = undefined
    }
  }

  /** Stops the list. Its errors are ignored: it is not used any more, and what it yielded was validated. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#extents.return(undefined).catch(() => undefined)
  }
}

async function* checkedExtents(
  extents: Extents,
  place: CallPlace,
): AsyncGenerator<VolumeExtent, undefined, undefined> {
  const { what } = place
  const given = extents as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined
  let reachedBytes = 0
  try {
    if (!given?.[Symbol.asyncIterator] && !given?.[Symbol.iterator])
      throw sourceError(`${what} returned ${describeValue(extents)}, expected an iterable of extents`)
    for await (const extent of extents) {
      const value: unknown = extent
      if (typeof value !== 'object' || value === null) {
        const expected = 'expected an object with offsetBytes and lengthBytes'
        throw sourceError(`${what} yielded ${describeValue(value)}, ${expected}`)
      }
      const { offsetBytes, lengthBytes } = extent
      if (!isByteCount(offsetBytes) || !isByteCount(lengthBytes) || offsetBytes < reachedBytes) {
        const yielded = `${String(lengthBytes)} bytes at ${String(offsetBytes)}, after an extent that ends at ${reachedBytes}`
        throw sourceError(
          `${what} yielded ${yielded}: extents must be whole numbers, ascending and without overlaps`,
        )
      }
      reachedBytes = offsetBytes + lengthBytes
      yield extent
    }
    return undefined
  } catch (error) {
    throw failedCall(sourceSide, place, error)
  }
}

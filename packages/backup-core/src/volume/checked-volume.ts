import { BackupError, isBackupError } from '../errors/backup-error.js'
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
import { reasonOfAbort } from '../errors/abort.js'

type Extents = AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>

/**
 * Opens a source whose answers are checked before they are used, since the source may be a caller's own.
 *
 * A number of bytes that is taken as it comes would let memory of other chunks, or a size that no reader accepts, into
 * a backup that then verifies. What a method throws, at the call or later, is a `BackupError`.
 *
 * @throws BackupError `OPTION_INVALID` for a size that is none, `SOURCE_READ` for anything else
 */
export async function openCheckedSource(
  source: VolumeSource,
  options: VolumeOpenOptions,
): Promise<OpenSource> {
  const answer: unknown = await attempt('openSource()', options.signal, () => source.openSource(options))
  const open = answer as Partial<OpenSource> | null | undefined
  try {
    if (typeof open?.read !== 'function' || typeof open.close !== 'function') {
      const expected = 'expected an object with sizeBytes, seekable, read() and close()'
      throw sourceError(`openSource() gave ${describeValue(answer)}, ${expected}`)
    }
    return new CheckedSource(open as OpenSource, checkedSize(open.sizeBytes), options.signal)
  } catch (error) {
    await closeQuietly(open)
    throw error
  }
}

/** Closes a source. What became of its backup is decided: a close that fails neither undoes it nor hides why it failed. */
export async function closeQuietly(source: Partial<OpenSource> | null | undefined): Promise<void> {
  try {
    await source?.close?.()
  } catch {
    // Nothing depends on it any more.
  }
}

class CheckedSource implements OpenSource {
  readonly seekable: boolean
  readonly extents?: (options?: VolumeOpenOptions) => Extents
  readonly changedSince?: (backupId: string, options?: VolumeOpenOptions) => Promise<Extents | undefined>

  constructor(
    private readonly source: OpenSource,
    readonly sizeBytes: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    const given: unknown = source.seekable
    this.seekable = given === true
    if (source.extents) this.extents = (options) => this.#extents(options)
    if (source.changedSince) this.changedSince = (id, options) => this.#changedSince(id, options)
  }

  async read(into: Uint8Array, offsetBytes: number, options: VolumeOpenOptions = {}): Promise<number> {
    const wantedBytes = into.length
    const read = (): Promise<unknown> => this.source.read(into, offsetBytes, options)
    const got = await attempt('read()', options.signal, read, offsetBytes)
    if (isByteCount(got) && got <= wantedBytes) return got
    const expected = `expected a whole number from 0 to ${wantedBytes}, the bytes that it was asked for`
    throw sourceError(
      `read() gave ${shownNumber(got)} at byte ${offsetBytes}, ${expected}`,
      undefined,
      offsetBytes,
    )
  }

  async changed(): Promise<string | undefined> {
    const message: unknown = await attempt('changed()', this.signal, () => this.source.changed?.())
    if (message === undefined || message === null) return undefined
    if (typeof message === 'string') return message
    throw sourceError(`changed() gave ${describeValue(message)}, expected a string or undefined`)
  }

  async close(): Promise<void> {
    await this.source.close()
  }

  #extents(options: VolumeOpenOptions | undefined): Extents {
    try {
      // The extent cursor refuses anything that is not iterable.
      return this.source.extents?.(options) as Extents
    } catch (error) {
      throw failedCall('extents()', options?.signal, error)
    }
  }

  #changedSince(backupId: string, options?: VolumeOpenOptions): Promise<Extents | undefined> {
    const call = (): Promise<Extents | undefined> | undefined => this.source.changedSince?.(backupId, options)
    return attempt('changedSince()', options?.signal, call)
  }
}

function checkedSize(sizeBytes: unknown): number | undefined {
  if (sizeBytes === undefined || isByteCount(sizeBytes)) return sizeBytes
  throw new BackupError(
    'OPTION_INVALID',
    `The sizeBytes of a source must be a whole number of bytes, or undefined where it is not known, not ${shownNumber(sizeBytes)}.`,
  )
}

function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : describeValue(value)
}

/** Calls a method of the source, which may throw instead of rejecting, or give no promise. */
function attempt<T>(
  what: string,
  signal: AbortSignal | undefined,
  call: () => T | Promise<T>,
  offsetBytes?: number,
): Promise<T> {
  return checkedCall(call, (error) => failedCall(what, signal, error, offsetBytes))
}

/** `SOURCE_READ` for what a method of the source threw; after an abort, what ended the operation. */
export function failedCall(
  what: string,
  signal: AbortSignal | undefined,
  error: unknown,
  offsetBytes?: number,
): BackupError {
  const toError = (why: string): BackupError => sourceError(`${what} failed: ${why}`, error, offsetBytes)
  return errorOfCall(error, { operation: 'Reading the source', signal }, toError)
}

function sourceError(what: string, cause?: unknown, offsetBytes?: number): BackupError {
  return new BackupError('SOURCE_READ', `Cannot read the source: ${what}.`, {
    cause,
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
  })
}

/**
 * Opens a target, which may be a caller's own, so that whatever its methods throw, at the call or later, is a
 * `BackupError`.
 *
 * @throws BackupError `TARGET_WRITE` where the target says nothing better
 */
export async function openCheckedTarget(
  target: VolumeTarget,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  const { signal } = requirements
  const answer: unknown = await attemptOnTarget('openTarget()', signal, () => target.openTarget(requirements))
  const open = answer as Partial<OpenTarget> | null | undefined
  const needed = [open?.write, open?.finish, open?.close] as const
  if (needed.every((method) => typeof method === 'function'))
    return new CheckedTarget(open as OpenTarget, signal)
  await Promise.resolve()
    .then(() => open?.close?.())
    .catch(() => undefined)
  const expected = 'expected an object with readsAsZeros, write(), finish() and close()'
  throw targetError(`openTarget() gave ${describeValue(answer)}, ${expected}`)
}

class CheckedTarget implements OpenTarget {
  readonly readsAsZeros: boolean

  constructor(
    private readonly target: OpenTarget,
    private readonly signal: AbortSignal | undefined,
  ) {
    const given: unknown = target.readsAsZeros
    this.readsAsZeros = given === true
  }

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await attemptOnTarget('write()', this.signal, () => this.target.write(bytes, offsetBytes), offsetBytes)
  }

  async finish(): Promise<void> {
    await attemptOnTarget('finish()', this.signal, () => this.target.finish())
  }

  async close(): Promise<void> {
    await attemptOnTarget('close()', this.signal, () => this.target.close())
  }

  async discard(): Promise<void> {
    await attemptOnTarget('discard()', this.signal, () => this.target.discard?.())
  }
}

function attemptOnTarget<T>(
  what: string,
  signal: AbortSignal | undefined,
  call: () => T | Promise<T>,
  offsetBytes?: number,
): Promise<T> {
  return checkedCall(call, (error) =>
    errorOfCall(error, { operation: 'The restore', signal }, (why) =>
      targetError(`${what} failed: ${why}`, error, offsetBytes),
    ),
  )
}

function targetError(what: string, cause?: unknown, offsetBytes?: number): BackupError {
  return new BackupError('TARGET_WRITE', `Cannot write the target: ${what}.`, {
    cause,
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
  })
}

/** Calls a method of a caller's own source or target, which may throw instead of rejecting, or return a plain value. */
export async function checkedCall<T>(
  call: () => T | Promise<T>,
  toError: (error: unknown) => BackupError,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toError(error)
  }
}

/** What a failed call is reported as: its own `BackupError`, the abort of the operation, or a new error with the reason. */
export function errorOfCall(
  error: unknown,
  { operation, signal }: { readonly operation: string; readonly signal: AbortSignal | undefined },
  toError: (why: string) => BackupError,
): BackupError {
  if (isBackupError(error)) return error
  if (signal?.aborted === true) return reasonOfAbort(signal, operation)
  return toError(error instanceof Error ? error.message : describeValue(error))
}

/**
 * Waits for `work`, but no longer than until the signal is aborted: for work that knows of no signal and may never
 * end. The work itself goes on, unheard. Rejects as `throwIfAborted` throws.
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

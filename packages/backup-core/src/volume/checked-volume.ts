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

export type Extents = AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>

/** A volume whose methods are a caller's own code: how its failures are reported. */
interface VolumeSide {
  readonly code: BackupErrorCode
  readonly failure: string
  /** Names the operation after an abort. */
  readonly operation: string
}

const sourceSide: VolumeSide = {
  code: 'SOURCE_READ',
  failure: 'Cannot read the source',
  operation: 'Reading the source',
}

const targetSide: VolumeSide = {
  code: 'TARGET_WRITE',
  failure: 'Cannot write the target',
  operation: 'The restore',
}

/** What is called, in errors (`read()`), and the signal that it was passed. */
export interface CallDescription {
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
  // Without a size the end is found by reading in order. A source that is read in order has to be read whole: where a read
  // was left out, the next one would return the wrong bytes.
  const isSeekable = seekable === true && sizeBytes !== undefined
  return {
    sizeBytes: sizeBytes === undefined ? undefined : requireSize(sizeBytes, 'The sizeBytes of a source'),
    seekable: isSeekable,
    async read(into, offsetBytes, options = {}) {
      const description = { what: 'read()', signal: options.signal, offsetBytes }
      const count: unknown = await callSource(description, () => source.read(into, offsetBytes, options))
      if (isByteCount(count) && count <= into.length) return count
      const what = `read() returned ${shownNumber(count)} at byte ${offsetBytes}`
      throw sourceError(`${what}, expected a whole number from 0 to ${into.length}`, undefined, offsetBytes)
    },
    async changeWarning() {
      const message: unknown = await callSource({ what: 'changeWarning()', signal }, () =>
        source.changeWarning?.(),
      )
      if (message === undefined || message === null) return undefined
      if (typeof message === 'string') return message
      throw sourceError(`changeWarning() returned ${describeValue(message)}, expected a string or undefined`)
    },
    close: () => source.close(),
    ...(isSeekable &&
      source.extents && {
        extents(options?: VolumeOpenOptions): Extents {
          try {
            // ExtentCursor rejects anything that is not iterable.
            return source.extents?.(options) as Extents
          } catch (error) {
            throw failedSourceCall({ what: 'extents()', signal: options?.signal }, error)
          }
        },
      }),
    ...(isSeekable &&
      source.changedSince && {
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
    callVolume(targetSide, { what, signal, offsetBytes }, run)
  const answer: unknown = await call('openTarget()', () => target.openTarget(requirements))
  const open = answer as OpenTarget
  const methods = answer as Partial<OpenTarget> | null | undefined
  if (![methods?.write, methods?.finish, methods?.close].every((method) => typeof method === 'function')) {
    await closeQuietly(methods)
    const expected = 'expected an object with readsAsZeros, write(), finish() and close()'
    throw volumeError(targetSide, `openTarget() returned ${describeValue(answer)}, ${expected}`)
  }
  const readsAsZeros: unknown = open.readsAsZeros
  let closing: Promise<void> | undefined
  return {
    readsAsZeros: readsAsZeros === true,
    write: (bytes, offsetBytes) => call('write()', () => open.write(bytes, offsetBytes), offsetBytes),
    finish: () => call('finish()', () => open.finish()),
    // Once, whatever fails: the contract of `OpenTarget`.
    close: () => (closing ??= call('close()', () => open.close())),
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

export function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : describeValue(value)
}

/** Calls a method of a source, which may throw synchronously or return a plain value. */
export function callSource<T>(description: CallDescription, call: () => T | Promise<T>): Promise<T> {
  return callVolume(sourceSide, description, call)
}

function callVolume<T>(
  side: VolumeSide,
  description: CallDescription,
  call: () => T | Promise<T>,
): Promise<T> {
  return mapErrors(call, (error) => failedCall(side, description, error))
}

/** What a failed call of a source's method is reported as. */
export function failedSourceCall(description: CallDescription, error: unknown): BackupError {
  return failedCall(sourceSide, description, error)
}

function failedCall(
  side: VolumeSide,
  { what, signal, offsetBytes }: CallDescription,
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
  { code, failure }: VolumeSide,
  what: string,
  cause?: unknown,
  offsetBytes?: number,
): BackupError {
  const description = offsetBytes === undefined ? {} : { offsetBytes }
  return new BackupError(code, `${failure}: ${what}.`, { cause, ...description })
}

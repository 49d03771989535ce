import { BackupError } from '../errors/backup-error.js'
import { checkedCall, errorOfCall } from './checked-call.js'
import { describeValue } from './describe-value.js'
import type { OpenTarget, TargetRequirements, VolumeTarget } from './volume.js'

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
  const answer: unknown = await attempt('openTarget()', signal, () => target.openTarget(requirements))
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
    await attempt('write()', this.signal, () => this.target.write(bytes, offsetBytes), offsetBytes)
  }

  async finish(): Promise<void> {
    await attempt('finish()', this.signal, () => this.target.finish())
  }

  async close(): Promise<void> {
    await attempt('close()', this.signal, () => this.target.close())
  }

  async discard(): Promise<void> {
    await attempt('discard()', this.signal, () => this.target.discard?.())
  }
}

function attempt<T>(
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

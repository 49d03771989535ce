import { abortedError, BackupError } from '@stowage/backup-core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, FaultMatch, StoreCall, StoreOperation } from './faults.js'

type Operations = StoreOperation | readonly StoreOperation[]

/** How a call fails. */
export interface FailOptions extends FaultMatch {
  /** @default a new `STORE_FAILED` for each call */
  readonly error?: Error
  /** Before the call has had any effect, or after it has had all of it. @default 'before' */
  readonly when?: 'before' | 'after'
}

/** Makes faults for a {@link FaultyBackupDriver}. */
export const fault = {
  /** The call rejects. */
  fail(operations: Operations, { error, when = 'before', ...match }: FailOptions = {}): Fault {
    const makeError = (): Error => error ?? new BackupError('STORE_FAILED', 'A planned fault.')
    return make(operations, match, { kind: 'fail', when, error: makeError })
  },

  /** The reader returns only the first `toBytes` bytes, of a stream those of each piece, and no error. */
  truncate({ toBytes, ...match }: FaultMatch & { readonly toBytes: number }): Fault {
    return make(reads, match, { kind: 'transform', change: (bytes) => bytes.subarray(0, toBytes) })
  },

  /** The reader returns bytes of which the one at `atByte` is wrong, and no error. */
  corrupt({ atByte = 0, ...match }: FaultMatch & { readonly atByte?: number } = {}): Fault {
    const change = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, at) => (at === atByte ? byte ^ 0xff : byte))
    return make(reads, match, { kind: 'transform', change })
  },

  /** Listings omit the names that match, although the objects exist. */
  hide({ names, ...match }: Pick<FaultMatch, 'nth'> & { readonly names: RegExp }): Fault {
    return make('getContainerEntries', match, { kind: 'hide', names })
  },

  /** Delays the call. */
  delay(operations: Operations, { delayMs, ...match }: FaultMatch & { readonly delayMs: number }): Fault {
    return make(operations, match, { kind: 'run', run: (_call, signal) => wait(delayMs, signal) })
  },

  /** The call never ends by itself; it rejects with `ABORTED` once its signal is aborted. */
  hang(operations: Operations, match: FaultMatch = {}): Fault {
    return make(operations, match, { kind: 'run', run: (_call, signal) => hang(signal) })
  },

  /** Does something before the call: aborts a controller, deletes an object. The call rejects with what it throws. */
  run(
    operations: Operations,
    {
      run,
      ...match
    }: FaultMatch & {
      readonly run: (call: StoreCall, signal: AbortSignal | undefined) => Promise<void> | void
    },
  ): Fault {
    return make(operations, match, { kind: 'run', run })
  },
}

const reads = ['reader.read', 'reader.stream', 'reader.readRange'] as const

function make(operations: Operations, match: FaultMatch, effect: Fault['effect']): Fault {
  return { ...match, operations: typeof operations === 'string' ? [operations] : operations, effect }
}

async function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal })
  } catch (error) {
    throw signal ? abortedError(signal) : error
  }
}

function hang(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_resolve, reject) => {
    const end = (): void => {
      if (signal) reject(abortedError(signal))
    }
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
}

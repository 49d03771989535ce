import type { ChunkedDriverOptions } from '@stowage/backup-core'
import { fault, FaultyBackupDriver, MemoryBackupDriver, type MemoryStore } from '@stowage/backup-testkit'
import type { StoreOperation } from '@stowage/backup-testkit'

/** The calls at which another process may get its turn: those that change the store, or look at it. */
export const storeCalls: readonly StoreOperation[] = [
  'putContainer',
  'getContainerEntries',
  'getContainers',
  'getObjectReader',
  'deleteObject',
  'objectExists',
  'writer.close',
]

/** The limit is set so that no driver asks the system for its own: there are thousands of drivers. */
const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048, maxMemoryBytes: 2 ** 24 }

/** Processes on one store, of which one runs at a time; each switch is before a call of the store. */
export class Schedule {
  readonly #turns: { readonly process: number; calls: number }[]
  readonly #calls: number[] = []
  #waiting: (() => void)[] = []

  /** @param turns - which process runs, and how many calls it makes before the next turn; after the last one both run */
  constructor(turns: readonly (readonly [process: number, calls: number])[] = []) {
    this.#turns = turns.map(([process, calls]) => ({ process, calls }))
  }

  /** How many calls a process has made. */
  calls(process: number): number {
    return this.#calls[process] ?? 0
  }

  /** The driver of a process. */
  driver(process: number, store: MemoryStore, options: ChunkedDriverOptions = {}): FaultyBackupDriver {
    const pause = fault.run(storeCalls, { run: () => this.#nextCall(process) })
    return new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }), {
      ...options,
      faults: [pause],
    })
  }

  /** Runs a process to its end, when its turn comes. */
  async run<T>(process: number, body: () => Promise<T>): Promise<T | { readonly error: unknown }> {
    try {
      await this.#untilTurn(process)
      return await body()
    } catch (error) {
      return { error }
    } finally {
      const others = this.#turns.filter((turn) => turn.process !== process)
      this.#turns.splice(0, Infinity, ...others)
      this.#wake()
    }
  }

  async #nextCall(process: number): Promise<void> {
    await this.#untilTurn(process)
    this.#calls[process] = this.calls(process) + 1
    const [turn] = this.#turns
    if (turn) turn.calls -= 1
  }

  async #untilTurn(process: number): Promise<void> {
    for (;;) {
      const [turn] = this.#turns
      if (!turn || (turn.process === process && turn.calls > 0)) return
      if (turn.calls <= 0) {
        this.#turns.shift()
        this.#wake()
      } else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}

/** A driver that is killed before its n-th call: that call and all later ones never end. */
export function killedAt(
  nth: number,
  store: MemoryStore,
): { readonly driver: FaultyBackupDriver; readonly killed: Promise<void> } {
  let calls = 0
  let die: () => void = () => undefined
  const killed = new Promise<void>((resolve) => (die = resolve))
  const kill = fault.run(storeCalls, {
    run: async () => {
      calls += 1
      if (calls < nth) return
      die()
      await new Promise<void>(() => undefined)
    },
  })
  const driver = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }), { faults: [kill] })
  return { driver, killed }
}

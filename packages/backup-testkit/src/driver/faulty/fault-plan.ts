import type { Fault, FaultEffect, StoreCall, StoreOperation } from './faults.js'

/** Records the calls, and finds the faults that affect each. */
export class FaultPlan {
  readonly calls: StoreCall[] = []
  readonly #faults: { readonly fault: Fault; matched: number }[] = []

  add(fault: Fault): void {
    this.#faults.push({ fault, matched: 0 })
  }

  clear(): void {
    this.#faults.length = 0
  }

  /** Makes a call with the faults that affect it. */
  async call<T>(call: StoreCall, signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    const { before, after } = this.record(call)
    await before(signal)
    const result = await body()
    after()
    return result
  }

  /** Records a call. For calls that return bytes or names, which change between `before` and `after`. */
  record(call: StoreCall): FaultyCall {
    this.calls.push(call)
    return new FaultyCall(call, this.#effectsOn(call))
  }

  count(operation: StoreOperation, object?: string | RegExp): number {
    return this.calls.filter((call) => call.operation === operation && matchesObject(object, call)).length
  }

  #effectsOn(call: StoreCall): FaultEffect[] {
    const effects: FaultEffect[] = []
    for (const entry of this.#faults) {
      const { fault } = entry
      if (!fault.operations.includes(call.operation) || !matchesObject(fault.object, call)) continue
      entry.matched++
      if (fault.nth === undefined || fault.nth === entry.matched) effects.push(fault.effect)
    }
    return effects
  }
}

/** A call with the faults that affect it. */
export class FaultyCall {
  constructor(
    private readonly call: StoreCall,
    private readonly effects: readonly FaultEffect[],
  ) {}

  readonly before = async (signal: AbortSignal | undefined): Promise<void> => {
    for (const effect of this.effects) {
      if (effect.kind === 'run') await effect.run(this.call, signal)
      if (effect.kind === 'fail' && effect.when === 'before') throw effect.error()
    }
  }

  readonly after = (): void => {
    for (const effect of this.effects) {
      if (effect.kind === 'fail' && effect.when === 'after') throw effect.error()
    }
  }

  /** The bytes that the caller gets. */
  bytes(bytes: Uint8Array): Uint8Array {
    return this.effects.reduce(
      (changed, effect) => (effect.kind === 'transform' ? effect.change(changed) : changed),
      bytes,
    )
  }

  /** Whether the caller gets this name. */
  shows(name: string): boolean {
    return !this.effects.some((effect) => effect.kind === 'hide' && matches(effect.names, name))
  }
}

function matchesObject(pattern: string | RegExp | undefined, { objectName }: StoreCall): boolean {
  if (pattern === undefined) return true
  if (objectName === undefined) return false
  return typeof pattern === 'string' ? pattern === objectName : matches(pattern, objectName)
}

function matches(pattern: RegExp, name: string): boolean {
  // A pattern with the flag g or y remembers where it last matched.
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(name)
}

import assert from 'node:assert/strict'

/** The bytes in and around the buffer before a call. */
const untouched = 0xaa

const beforeBytes = 1_003
const afterBytes = 2_005

/** A buffer to pass to a compressor: a view into the middle of a larger one, of which it may write no other byte. */
export class CallerBuffer {
  /** The part that is passed to the compressor. */
  readonly view: Uint8Array
  readonly #whole: Uint8Array

  constructor(kind: MemoryKind, lengthBytes: number) {
    this.#whole = new Uint8Array(makeBuffer[kind](beforeBytes + lengthBytes + afterBytes)).fill(untouched)
    this.view = this.#whole.subarray(beforeBytes, beforeBytes + lengthBytes)
  }

  /** Whether `result` lies in this buffer. */
  holds(result: Uint8Array): boolean {
    return result.buffer === this.#whole.buffer
  }

  /** Overwrites all of the buffer except the result, where that lies in it: the compressor owns nothing else. */
  overwriteRest(result: Uint8Array): void {
    if (!this.holds(result)) {
      this.#whole.fill(0x55)
      return
    }
    this.#whole.fill(0x55, 0, result.byteOffset)
    this.#whole.fill(0x55, result.byteOffset + result.length)
  }

  /** Asserts that no byte outside the view was written, and that a result in this buffer lies in the view. */
  assertNothingOutside(what: string, result?: Uint8Array): void {
    const end = beforeBytes + this.view.length
    const outside = [this.#whole.subarray(0, beforeBytes), this.#whole.subarray(end)]
    const isWhole = outside.every((part) => part.every((byte) => byte === untouched))
    assert.ok(isWhole, `${what}: bytes outside the buffer were written`)
    if (result === undefined || !this.holds(result)) return
    const isWithin = result.byteOffset >= beforeBytes && result.byteOffset + result.length <= end
    assert.ok(isWithin, `${what}: the result lies outside the buffer`)
  }
}

/** Kinds of memory. The engine passes shared memory, so that its workers need no copy. */
export type MemoryKind = 'memory of its own' | 'shared memory'

const makeBuffer: Readonly<Record<MemoryKind, (lengthBytes: number) => ArrayBuffer | SharedArrayBuffer>> = {
  'memory of its own': (lengthBytes) => new ArrayBuffer(lengthBytes),
  'shared memory': (lengthBytes) => new SharedArrayBuffer(lengthBytes),
}

export const memoryKinds = ['memory of its own', 'shared memory'] as const satisfies readonly MemoryKind[]

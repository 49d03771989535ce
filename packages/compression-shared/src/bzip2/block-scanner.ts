import { EventLoopYielder } from '../event-loop.js'
import type { CompressedInput, Segment } from './compressed-input.js'
import { hasMagic } from './format.js'

/** What a magic begins: a block, or the stream's end. */
export type MarkKind = 'block' | 'end'

/** A bit at which the 48 bits of a magic begin. */
export interface Mark {
  readonly bit: number
  readonly kind: MarkKind
}

/** The digits of pi, and of its square root. */
const magics: Readonly<Record<MarkKind, bigint>> = { block: 0x314159265359n, end: 0x177245385090n }

/** A magic that two bytes may belong to, and how many bits before them it begins. */
interface Candidate {
  readonly kind: MarkKind
  readonly bitsBefore: number
}

const candidates: Candidate[][] = [[]]

/** The index of the candidates of two neighbouring bytes; 0 for nearly all pairs, which belong to none. */
const candidatesOfPair = new Uint8Array(65_536)

for (const kind of ['block', 'end'] as const) {
  for (let bitsBefore = 0; bitsBefore < 32; bitsBefore++) {
    const pair = Number((magics[kind] >> BigInt(48 - 16 - bitsBefore)) & 0xffffn)
    const known = candidatesOfPair[pair] ?? 0
    if (known > 0) candidates[known]?.push({ kind, bitsBefore })
    else candidatesOfPair[pair] = candidates.push([{ kind, bitsBefore }]) - 1
  }
}

/** How many bytes are scanned between two checks of the clock: a quarter of a millisecond. */
const stepBytes = 256 * 1024

/** How far a magic may reach beyond the first of the two bytes that it is found by. */
const reachBytes = 8

/**
 * Finds the marks of a bzip2 stream in order, at some GB/s: wherever 48 bits begin, they hold five whole bytes or six,
 * and so every fourth byte of the stream starts a pair of bytes that lies within them.
 *
 * The bits of a magic also occur within blocks, by chance or by design: the reader has to check each mark.
 */
export class MarkScanner {
  readonly #input: CompressedInput
  readonly #yielder = new EventLoopYielder()
  readonly #found: Mark[] = []
  #at = 0

  constructor(input: CompressedInput) {
    this.#input = input
  }

  /** The next mark; undefined where there is none before `endBit`, where the scan stops, or none at all. */
  async next(endBit = Infinity): Promise<Mark | undefined> {
    const input = this.#input
    while (this.#found.length === 0 && this.#at * 8 < endBit + 32) {
      const isAmidst = await input.reach(this.#at + reachBytes + 1)
      const segment = input.segmentTo(this.#at + reachBytes + 1)
      const end = segment.startByte + segment.bytes.length - (isAmidst ? reachBytes : 1)
      if (this.#at >= end) return undefined
      this.#scan(segment, Math.min(this.#at + stepBytes, end))
      await this.#yielder.yieldIfDue()
    }
    return this.#found.shift()
  }

  /** Stops after the first pair that belongs to a mark. */
  #scan({ startByte, bytes }: Segment, endByte: number): void {
    const end = endByte - startByte
    let at = this.#at - startByte
    for (; at < end && this.#found.length === 0; at += 4) {
      const index = candidatesOfPair[((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)] ?? 0
      if (index !== 0) this.#check(startByte, bytes, at, candidates[index] ?? [])
    }
    this.#at = startByte + at
  }

  #check(startByte: number, bytes: Uint8Array, at: number, possible: readonly Candidate[]): void {
    for (const { kind, bitsBefore } of possible) {
      const bit = at * 8 - bitsBefore
      if (bit < 0 || !hasMagic(bytes, bit, magics[kind])) continue
      this.#found.push({ bit: startByte * 8 + bit, kind })
    }
    this.#found.sort((a, b) => a.bit - b.bit)
  }
}

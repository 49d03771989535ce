import { Turns } from '@stowage/compression-workers'
import { hasBits48 } from './bits.js'
import type { CompressedInput, Segment } from './compressed-input.js'

/** What may begin at a bit of a bzip2 stream: a block, or the stream's end. */
export type MarkKind = 'block' | 'end'

/** A place, to the bit, where the 48 bits of a magic were found. */
export interface Mark {
  readonly bit: number
  readonly kind: MarkKind
}

/** The digits of pi, and of its square root. */
const magics: Readonly<Record<MarkKind, bigint>> = { block: 0x314159265359n, end: 0x177245385090n }

/** How a magic may lie about two whole bytes of it: it begins that many bits before them. */
interface Candidate {
  readonly kind: MarkKind
  readonly bitsBefore: number
}

const candidates: Candidate[][] = [[]]

/** For two neighbouring bytes, which of the candidates they belong to; nearly all belong to none, which is 0. */
const candidatesOfPair = new Uint8Array(65_536)

for (const kind of ['block', 'end'] as const) {
  for (let bitsBefore = 0; bitsBefore < 32; bitsBefore++) {
    const pair = Number((magics[kind] >> BigInt(48 - 16 - bitsBefore)) & 0xffffn)
    const known = candidatesOfPair[pair] ?? 0
    if (known > 0) candidates[known]?.push({ kind, bitsBefore })
    else candidatesOfPair[pair] = candidates.push([{ kind, bitsBefore }]) - 1
  }
}

/** How many bytes are looked through between two looks at the clock: a quarter of a millisecond. */
const stepBytes = 256 * 1024

/** How far a magic may reach behind the first of the two bytes that it is found by. */
const reachBytes = 8

/**
 * Finds the marks of a bzip2 stream in order, at some GB/s: wherever 48 bits begin, they hold five whole bytes or six,
 * and so every fourth byte of the stream starts a pair of bytes that lies within them.
 *
 * The bits of a magic can also turn up within a block, by chance or by design. Whoever reads on from a mark checks.
 */
export class MarkScanner {
  readonly #input: CompressedInput
  readonly #turns = new Turns()
  readonly #found: Mark[] = []
  #at = 0

  constructor(input: CompressedInput) {
    this.#input = input
  }

  /** The next mark; undefined where there is none before `endBit`, which is not looked past, or none at all. */
  async next(endBit = Infinity): Promise<Mark | undefined> {
    const input = this.#input
    while (this.#found.length === 0 && this.#at * 8 < endBit + 32) {
      const isAmidst = await input.reach(this.#at + reachBytes + 1)
      const segment = input.segmentTo(this.#at + reachBytes + 1)
      const end = segment.startByte + segment.bytes.length - (isAmidst ? reachBytes : 1)
      if (this.#at >= end) return undefined
      this.#scan(segment, Math.min(this.#at + stepBytes, end))
      await this.#turns.give()
    }
    return this.#found.shift()
  }

  /** Stops behind the first pair that belongs to a mark. */
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
      if (bit < 0 || !hasBits48(bytes, bit, magics[kind])) continue
      this.#found.push({ bit: startByte * 8 + bit, kind })
    }
    this.#found.sort((a, b) => a.bit - b.bit)
  }
}

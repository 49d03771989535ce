import { BackupError } from '../errors/backup-error.js'
import { hexDigitValues, hexPairs, notHex } from './hex.js'

/** Bytes of a SHA-256. */
export const hashBytes = 32

/** The first segment holds 2^10 hashes (32 KiB), the next as many, then twice as many each time … */
const firstSegmentBits = 10
/** … until a segment holds 2^20 (32 MiB); all later ones are as long. */
const lastSegmentBits = 20

/**
 * The hashes of a volume's blocks, 32 bytes each, in order: no object a block, no allocation over 32 MiB, and no limit
 * but memory's. Small volumes cost 32 KiB. Indices that are out of range throw a `RangeError`.
 */
export class HashList {
  readonly #segments: Uint8Array[] = []
  #length = 0

  /** How many hashes there are. */
  get length(): number {
    return this.#length
  }

  /** Adds one hash of exactly 32 bytes. */
  push(hash: Uint8Array): void {
    if (hash.length !== hashBytes) {
      throw new BackupError('OPTION_INVALID', `A SHA-256 has 32 bytes; this hash has ${hash.length}.`)
    }
    this.overwrite(this.#length, hash, 0)
  }

  /** Adds hashes that lie one after the other. */
  append(packed: Uint8Array): void {
    if (packed.length % hashBytes !== 0) {
      throw new BackupError('OPTION_INVALID', `Packed hashes have 32 bytes each; there are ${packed.length}.`)
    }
    let done = 0
    while (done < packed.length) {
      const segment = this.#segmentFor(this.#length)
      const start = (this.#length - segmentStart(this.#length)) * hashBytes
      const count = Math.min(packed.length - done, segment.length - start)
      segment.set(packed.subarray(done, done + count), start)
      this.#length += count / hashBytes
      done += count
    }
  }

  /** Replaces a hash by the 32 bytes at `offsetBytes` of `packed`; at `index === length` it adds one. */
  overwrite(index: number, packed: Uint8Array, offsetBytes: number): void {
    const segment = index === this.#length ? this.#segmentFor(index) : this.#segmentOf(index)
    const start = (index - segmentStart(index)) * hashBytes
    if (offsetBytes < 0 || offsetBytes + hashBytes > packed.length) throw new RangeError('No 32 bytes there.')
    for (let byte = 0; byte < hashBytes; byte++) segment[start + byte] = packed[offsetBytes + byte] ?? 0
    if (index === this.#length) this.#length++
  }

  /** Whether the hash is the 32 bytes at `offsetBytes` of `packed`. */
  equals(index: number, packed: Uint8Array, offsetBytes: number): boolean {
    const segment = this.#segmentOf(index)
    const start = (index - segmentStart(index)) * hashBytes
    for (let byte = 0; byte < hashBytes; byte++) {
      if (segment[start + byte] !== packed[offsetBytes + byte]) return false
    }
    return true
  }

  /** Writes the hash's 32 bytes into `target`. */
  copyTo(index: number, target: Uint8Array, offsetBytes: number): void {
    const segment = this.#segmentOf(index)
    const start = (index - segmentStart(index)) * hashBytes
    target.set(segment.subarray(start, start + hashBytes), offsetBytes)
  }

  /** Drops the hashes from `length` on, and the memory of those that filled whole segments. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError(`No hash list of length ${length}.`)
    this.#length = length
    this.#segments.length = length === 0 ? 0 : segmentNumber(length - 1) + 1
  }

  /** Adds the hash whose 64 hex digits start at `start`; false, and nothing added, where one is no hex digit. */
  pushHex(text: Uint8Array, start: number): boolean {
    const segment = this.#segmentFor(this.#length)
    let at = (this.#length - segmentStart(this.#length)) * hashBytes
    let seen = 0
    for (let digit = start; digit < start + 2 * hashBytes; digit += 2) {
      const high = hexDigitValues[text[digit] ?? 0] ?? notHex
      const low = hexDigitValues[text[digit + 1] ?? 0] ?? notHex
      seen |= high | low
      segment[at++] = (high << 4) | low
    }
    if (seen >= 16) return false
    this.#length++
    return true
  }

  /** Writes the hash in 64 lower-case hex digits, as 32 pairs from `offsetPairs` on. */
  hexInto(index: number, target: Uint16Array, offsetPairs: number): void {
    const segment = this.#segmentOf(index)
    const start = (index - segmentStart(index)) * hashBytes
    for (let byte = 0; byte < hashBytes; byte++) {
      target[offsetPairs + byte] = hexPairs[segment[start + byte] ?? 0] ?? 0
    }
  }

  #segmentOf(index: number): Uint8Array {
    const segment = index >= 0 && index < this.#length ? this.#segments[segmentNumber(index)] : undefined
    if (segment === undefined) throw new RangeError(`No hash ${index} in a list of ${this.#length}.`)
    return segment
  }

  /** The segment that the hash after the last one goes to. */
  #segmentFor(index: number): Uint8Array {
    const number = segmentNumber(index)
    let segment = this.#segments[number]
    if (segment === undefined) {
      const bits = Math.min(lastSegmentBits, firstSegmentBits + Math.max(0, number - 1))
      segment = new Uint8Array(hashBytes * 2 ** bits)
      this.#segments.push(segment)
    }
    return segment
  }
}

function segmentNumber(index: number): number {
  if (index < 2 ** firstSegmentBits) return 0
  if (index < 2 ** lastSegmentBits) return 32 - Math.clz32(index) - firstSegmentBits
  return lastSegmentBits - firstSegmentBits + Math.floor(index / 2 ** lastSegmentBits)
}

/** The index of the first hash in the segment of `index`. */
function segmentStart(index: number): number {
  if (index < 2 ** firstSegmentBits) return 0
  if (index < 2 ** lastSegmentBits) return 2 ** (31 - Math.clz32(index))
  return index - (index % 2 ** lastSegmentBits)
}

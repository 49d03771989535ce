import { BackupError } from '../errors/backup-error.js'

const digits = '0123456789abcdef'

/** The value in {@link hexDigitValues} of a byte that is not a hex digit: its high bits are set in no other value. */
export const notHex = 0xf0

/** The value of each byte as a hex digit of either case. */
export const hexDigitValues: Uint8Array = new Uint8Array(256).fill(notHex)
for (let value = 0; value < 16; value++) {
  hexDigitValues[digits.charCodeAt(value)] = value
  hexDigitValues[digits.toUpperCase().charCodeAt(value)] = value
}

/** Both lower-case digits of each byte, in memory order: one 16-bit store writes a byte in hex. */
export const hexPairs: Uint16Array = new Uint16Array(256)
const pairBytes = new Uint8Array(hexPairs.buffer)
for (let byte = 0; byte < 256; byte++) {
  pairBytes[byte * 2] = digits.charCodeAt(byte >> 4)
  pairBytes[byte * 2 + 1] = digits.charCodeAt(byte & 15)
}

/** Bytes of a SHA-256. */
export const hashBytes = 32

/** The first segment holds 2^10 hashes (32 KiB), the next as many, then twice as many each time … */
const firstSegmentBits = 10
/** … until a segment holds 2^20 (32 MiB); all later ones are as long. */
const lastSegmentBits = 20
const firstSegmentLength = 1 << firstSegmentBits
const lastSegmentLength = 1 << lastSegmentBits

/**
 * The hashes of a volume's blocks, 32 bytes each, in order, without an object per block or an allocation over 32 MiB. Small
 * volumes take 32 KiB. Indices that are out of range throw a `RangeError`.
 */
export class HashList {
  readonly #segments: Uint8Array[] = []
  #length = 0

  /** The segment that was used last, and its indices: nearly every access is to the same one. */
  #current: Uint8Array = new Uint8Array(0)
  #currentStart = 0
  #currentEnd = 0

  /** The number of hashes. */
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

  /** Replaces a hash by the 32 bytes at `offsetBytes` of `packed`; at `index === length` it adds one. */
  overwrite(index: number, packed: Uint8Array, offsetBytes: number): void {
    const segment = index === this.#length ? this.#seekEnd() : this.#seek(index)
    const start = (index - this.#currentStart) * hashBytes
    if (offsetBytes < 0 || offsetBytes + hashBytes > packed.length)
      throw new RangeError(`No 32 bytes at ${offsetBytes}.`)
    for (let byte = 0; byte < hashBytes; byte++) segment[start + byte] = packed[offsetBytes + byte] ?? 0
    if (index === this.#length) this.#length++
  }

  /** Writes consecutive hashes from `index` on, over existing ones and beyond them. */
  put(index: number, packed: Uint8Array): void {
    const count = packed.length / hashBytes
    if (!Number.isInteger(count)) {
      throw new BackupError(
        'OPTION_INVALID',
        `Packed hashes have 32 bytes each, not ${packed.length} bytes in all.`,
      )
    }
    this.extend(index + count)
    for (let done = 0; done < count; done += 1) this.overwrite(index + done, packed, done * hashBytes)
  }

  /** Adds hashes of 32 zero bytes, which no block has, until there are `length`. Does nothing where there are as many. */
  extend(length: number): void {
    while (this.#length < length) {
      this.#seekEnd().fill(0, (this.#length - this.#currentStart) * hashBytes)
      this.#length = Math.min(length, this.#currentEnd)
    }
  }

  /** Whether the hash is the 32 bytes at `offsetBytes` of `packed`. */
  equals(index: number, packed: Uint8Array, offsetBytes: number): boolean {
    const segment = this.#seek(index)
    const start = (index - this.#currentStart) * hashBytes
    for (let byte = 0; byte < hashBytes; byte++) {
      if (segment[start + byte] !== packed[offsetBytes + byte]) return false
    }
    return true
  }

  /** Writes the hash's 32 bytes into `target`. */
  copyTo(index: number, target: Uint8Array, offsetBytes: number): void {
    const segment = this.#seek(index)
    const start = (index - this.#currentStart) * hashBytes
    target.set(segment.subarray(start, start + hashBytes), offsetBytes)
  }

  /** Drops the hashes from `length` on, and the memory of those that filled whole segments. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError(`No hash list of length ${length}.`)
    this.#length = length
    this.#segments.length = length === 0 ? 0 : segmentNumber(length - 1) + 1
    this.#current = new Uint8Array(0)
    this.#currentStart = 0
    this.#currentEnd = 0
  }

  /** Adds the hash whose 64 hex digits start at `start`; false, and nothing added, where one is not a hex digit. */
  pushHex(text: Uint8Array, start: number): boolean {
    const segment = this.#seekEnd()
    let at = (this.#length - this.#currentStart) * hashBytes
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
    const segment = this.#seek(index)
    const start = (index - this.#currentStart) * hashBytes
    for (let byte = 0; byte < hashBytes; byte++) {
      target[offsetPairs + byte] = hexPairs[segment[start + byte] ?? 0] ?? 0
    }
  }

  #seek(index: number): Uint8Array {
    if (!(index >= 0 && index < this.#length)) {
      throw new RangeError(`No hash ${index} in a list of ${this.#length}.`)
    }
    return index >= this.#currentStart && index < this.#currentEnd ? this.#current : this.#enter(index)
  }

  /** The segment that the next hash goes to. */
  #seekEnd(): Uint8Array {
    const index = this.#length
    return index >= this.#currentStart && index < this.#currentEnd ? this.#current : this.#enter(index)
  }

  #enter(index: number): Uint8Array {
    const number = segmentNumber(index)
    const start = segmentStart(number)
    const length = segmentStart(number + 1) - start
    let segment = this.#segments[number]
    if (segment === undefined) {
      segment = new Uint8Array(hashBytes * length)
      this.#segments.push(segment)
    }
    this.#current = segment
    this.#currentStart = start
    this.#currentEnd = start + length
    return segment
  }
}

/** Segments up to this one double in length. */
const firstLongSegment = lastSegmentBits - firstSegmentBits + 1

function segmentNumber(index: number): number {
  if (index < firstSegmentLength) return 0
  if (index < lastSegmentLength) return 32 - Math.clz32(index) - firstSegmentBits
  return firstLongSegment - 1 + Math.floor(index / lastSegmentLength)
}

/** The index of the first hash in a segment. */
function segmentStart(number: number): number {
  if (number === 0) return 0
  if (number <= firstLongSegment) return firstSegmentLength << (number - 1)
  return lastSegmentLength * (number - firstLongSegment + 1)
}

import { BackupError } from '../errors/backup-error.js'

const digits = '0123456789abcdef'

/** The value in {@link hexDigitValues} of a byte that is not a hex digit: its high bits are set in no other value. */
const notHex = 0xf0

/** The value of each byte as a hex digit of either case. */
const hexDigitValues: Uint8Array = new Uint8Array(256).fill(notHex)
/** Both lower-case digits of each byte, in memory order: one 16-bit store writes a byte in hex. */
const hexPairs: Uint16Array = new Uint16Array(256)
for (let value = 0; value < 16; value++) {
  hexDigitValues[digits.charCodeAt(value)] = value
  hexDigitValues[digits.toUpperCase().charCodeAt(value)] = value
}
Buffer.from(hexPairs.buffer).write(
  [...hexPairs.keys()].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
)

/** Bytes of a SHA-256. */
export const hashBytes = 32

/** The hashes of one segment, 1 MiB: the pages of it that are not used take no memory. */
const segmentBits = 15
const segmentLength = 1 << segmentBits

/**
 * The hashes of a volume's blocks, 32 bytes each, in order, without an object per block or one large allocation. Indices
 * that are out of range throw a `RangeError`.
 */
export class HashList {
  readonly #segments: Uint8Array[] = []
  #length = 0

  /** The number of hashes. */
  get length(): number {
    return this.#length
  }

  /** Replaces a hash by the 32 bytes at `offsetBytes` of `packed`; at `index === length` it adds one. */
  overwrite(index: number, packed: Uint8Array, offsetBytes: number): void {
    if (offsetBytes < 0 || offsetBytes + hashBytes > packed.length)
      throw new RangeError(`No 32 bytes at ${offsetBytes}.`)
    if (index === this.#length) this.extend(index + 1)
    const segment = this.#segmentOf(index)
    const start = startInSegment(index)
    for (let byte = 0; byte < hashBytes; byte++) segment[start + byte] = packed[offsetBytes + byte] ?? 0
  }

  /** Writes consecutive hashes from `index` on, over existing ones and beyond them. */
  put(index: number, packed: Uint8Array): void {
    const count = packed.length / hashBytes
    if (!Number.isInteger(count)) {
      const message = `Packed hashes have 32 bytes each, not ${packed.length} bytes in all.`
      throw new BackupError('OPTION_INVALID', message)
    }
    this.extend(index + count)
    for (let done = 0; done < count; done += 1) this.overwrite(index + done, packed, done * hashBytes)
  }

  /** Adds hashes of 32 zero bytes, which no block has, until there are `length`. Does nothing where there are as many. */
  extend(length: number): void {
    while (this.#segments.length * segmentLength < length)
      this.#segments.push(new Uint8Array(segmentLength * hashBytes))
    this.#length = Math.max(this.#length, length)
  }

  /** Whether the hash is the 32 bytes at `offsetBytes` of `packed`. */
  equals(index: number, packed: Uint8Array, offsetBytes: number): boolean {
    const segment = this.#segmentOf(index)
    const start = startInSegment(index)
    for (let byte = 0; byte < hashBytes; byte++) {
      if (segment[start + byte] !== packed[offsetBytes + byte]) return false
    }
    return true
  }

  /** Drops the hashes from `length` on, and the memory of those that filled whole segments. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError(`No hash list of length ${length}.`)
    this.#length = length
    this.#segments.length = Math.ceil(length / segmentLength)
    if (startInSegment(length) > 0) this.#segments.at(-1)?.fill(0, startInSegment(length))
  }

  /** Adds the hash whose 64 hex digits start at `start`; false, and nothing added, where one is not a hex digit. */
  pushHex(text: Uint8Array, start: number): boolean {
    const index = this.#length
    this.extend(index + 1)
    const segment = this.#segmentOf(index)
    let at = startInSegment(index)
    let seen = 0
    for (let digit = start; digit < start + 2 * hashBytes; digit += 2) {
      const high = hexDigitValues[text[digit] ?? 0] ?? notHex
      const low = hexDigitValues[text[digit + 1] ?? 0] ?? notHex
      seen |= high | low
      segment[at++] = (high << 4) | low
    }
    if (seen >= 16) this.truncate(index)
    return seen < 16
  }

  /** Writes the hash in 64 lower-case hex digits, as 32 pairs from `offsetPairs` on. */
  hexInto(index: number, target: Uint16Array, offsetPairs: number): void {
    const segment = this.#segmentOf(index)
    const start = startInSegment(index)
    for (let byte = 0; byte < hashBytes; byte++) {
      target[offsetPairs + byte] = hexPairs[segment[start + byte] ?? 0] ?? 0
    }
  }

  #segmentOf(index: number): Uint8Array {
    const segment = index >= 0 && index < this.#length ? this.#segments[index >>> segmentBits] : undefined
    if (segment) return segment
    throw new RangeError(`No hash ${index} in a list of ${this.#length}.`)
  }
}

function startInSegment(index: number): number {
  return (index % segmentLength) * hashBytes
}

/** The largest prime below 2^16 (RFC 1950, section 8.2). */
const modulus = 65_521

/** How many bytes of 255 can be summed before the second sum leaves 31 bits, above which V8 leaves small integers. */
const bytesBetweenReductions = 3_800

/** The Adler-32 of nothing. */
export const adlerOfNothing = 1

/** The Adler-32 checksum of `bytes`. */
export function adler32(bytes: Uint8Array): number {
  let low = adlerOfNothing
  let high = 0
  for (let offset = 0; offset < bytes.length;) {
    const end = Math.min(offset + bytesBetweenReductions, bytes.length)
    for (; offset < end; offset++) {
      low += bytes[offset] ?? 0
      high += low
    }
    low %= modulus
    high %= modulus
  }
  return ((high << 16) | low) >>> 0
}

/** The Adler-32 of two runs of bytes, one behind the other, from that of each. */
export function joinAdler32(first: number, second: number, secondLengthBytes: number): number {
  const firstLow = first & 0xffff
  const low = (firstLow + (second & 0xffff) + modulus - 1) % modulus
  // The second run's high sum began at low = 1 where the joined one begins at firstLow.
  const carried = ((secondLengthBytes % modulus) * (firstLow + modulus - 1)) % modulus
  const high = ((first >>> 16) + (second >>> 16) + carried) % modulus
  return ((high << 16) | low) >>> 0
}

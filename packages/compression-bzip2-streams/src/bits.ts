/** The 32 bits that begin at `bit`, most significant first, as bzip2 writes them; zeros behind the end. */
export function readUint32(bytes: Uint8Array, bit: number): number {
  const at = Math.floor(bit / 8)
  const shift = bit % 8
  let value = 0
  for (let index = 0; index < 4; index++) {
    const both = ((bytes[at + index] ?? 0) << 8) | (bytes[at + index + 1] ?? 0)
    value = (value << 8) | ((both >>> (8 - shift)) & 0xff)
  }
  return value >>> 0
}

/** Whether the 48 bits that begin at `bit` are all there, and are `bits`. */
export const hasBits48 = (bytes: Uint8Array, bit: number, bits: bigint): boolean =>
  bit + 48 <= bytes.length * 8 &&
  readUint32(bytes, bit) === Number(bits >> 16n) &&
  readUint32(bytes, bit + 32) >>> 16 === Number(bits & 0xffffn)

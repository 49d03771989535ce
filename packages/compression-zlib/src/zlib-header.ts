/** Deflate with a window of 32 KiB, the one that everybody writes (RFC 1950, section 2.2). */
const deflateWith32KiB = 0x78

/** The two bytes that open a zlib stream. The level in them is a hint that no reader needs. */
export function zlibHeader(level: number): Uint8Array {
  const hint = level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3
  const flags = hint << 6
  const check = 31 - (((deflateWith32KiB << 8) | flags) % 31)
  return Uint8Array.of(deflateWith32KiB, flags | check)
}

/** Whether the first two bytes open a zlib stream that needs no dictionary of its own. */
export function isZlibHeader(first: number, second: number): boolean {
  const isDeflate = (first & 0x0f) === 8 && first >>> 4 <= 7
  const needsDictionary = (second & 0x20) !== 0
  return isDeflate && !needsDictionary && ((first << 8) | second) % 31 === 0
}

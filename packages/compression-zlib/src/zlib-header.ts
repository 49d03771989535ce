/** Deflate with a window of 32 KiB, the one that everybody writes (RFC 1950, section 2.2). */
const deflateWith32KiB = 0x78

/** The two bytes that open a zlib stream. The level in them is a hint that no reader needs. */
export function zlibHeader(level: number): Uint8Array {
  const hint = level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3
  const flags = hint << 6
  const check = 31 - (((deflateWith32KiB << 8) | flags) % 31)
  return Uint8Array.of(deflateWith32KiB, flags | check)
}

/** How long the header of a zlib stream is: a dictionary is named in four bytes more (RFC 1950, section 2.2). */
export function headerBytesOf(stream: Uint8Array): number {
  return needsDictionary(stream[1] ?? 0) ? 6 : 2
}

const needsDictionary = (flags: number): boolean => (flags & 0x20) !== 0

/** Whether the first two bytes open a zlib stream that needs no dictionary of its own. */
export function isZlibHeader(first: number, second: number): boolean {
  const isDeflate = (first & 0x0f) === 8 && first >>> 4 <= 7
  return isDeflate && !needsDictionary(second) && ((first << 8) | second) % 31 === 0
}

/** The most that one stored block of deflate holds (RFC 1951, section 3.2.4). */
const mostBytesABlock = 65_535

/** The parts of `bytes` as stored blocks, none of them the last of its stream, to follow a whole byte. */
export function storedBlocks(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; offset += mostBytesABlock) {
    const block = bytes.subarray(offset, offset + mostBytesABlock)
    const { length } = block
    parts.push(Uint8Array.of(0, length & 0xff, length >>> 8, ~length & 0xff, (~length >>> 8) & 0xff), block)
  }
  return parts
}

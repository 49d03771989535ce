/** The most that one stored block of deflate holds (RFC 1951, section 3.2.4). */
const mostBytesABlock = 65_535
const headerBytes = 5

/** How many bytes `lengthBytes` take as stored blocks. */
export const storedLengthBytes = (lengthBytes: number): number =>
  lengthBytes + Math.ceil(lengthBytes / mostBytesABlock) * headerBytes

/** Writes `bytes` as stored blocks, none of them the last of its stream, at a whole byte; returns where they end. */
export function writeStoredBlocks(output: Uint8Array, start: number, bytes: Uint8Array): number {
  let end = start
  for (let offset = 0; offset < bytes.length; offset += mostBytesABlock) {
    const block = bytes.subarray(offset, offset + mostBytesABlock)
    const { length } = block
    output[end] = 0
    output[end + 1] = length & 0xff
    output[end + 2] = length >>> 8
    output[end + 3] = ~length & 0xff
    output[end + 4] = (~length >>> 8) & 0xff
    output.set(block, end + headerBytes)
    end += headerBytes + length
  }
  return end
}

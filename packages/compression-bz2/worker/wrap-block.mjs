// @ts-check

const endMagic = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]

/** Where, in a stream, its first block's checksum lies: behind the header and the block's magic. */
const checksumAt = 4 + 6

/** How long the stream is that {@link wrapBlock} makes: header, block, mark of the end, checksum.
 * @param {number} lengthBits
 */
export const wrappedBytes = (lengthBits) => Math.ceil((4 * 8 + lengthBits + (6 + 4) * 8) / 8)

/**
 * Makes a stream of its own from one block's bits: header, the bits, the mark of the end, and the block's checksum,
 * which is the whole stream's then.
 * @param {Uint8Array} output
 * @param {Uint8Array} bytes
 * @param {number} startBit Which bit of the first byte the block begins with.
 * @param {number} lengthBits
 * @param {number} level
 */
export function wrapBlock(output, bytes, startBit, lengthBits, level) {
  output.set([0x42, 0x5a, 0x68, 0x30 + level])
  const lengthBytes = Math.ceil(lengthBits / 8)
  if (startBit === 0) output.set(bytes.subarray(0, lengthBytes), 4)
  else {
    const rest = 8 - startBit
    let high = bytes[0] ?? 0
    for (let index = 0; index < lengthBytes; index++) {
      const low = bytes[index + 1] ?? 0
      output[4 + index] = (high << startBit) | (low >>> rest)
      high = low
    }
  }
  // The end follows the block's last bit.
  const tail = [...endMagic, ...output.subarray(checksumAt, checksumAt + 4)]
  const used = lengthBits % 8
  const at = 4 + Math.floor(lengthBits / 8)
  let carry = used === 0 ? 0 : (output[at] ?? 0) & (0xff00 >>> used)
  for (const [index, byte] of tail.entries()) {
    output[at + index] = carry | (byte >>> used)
    carry = (byte << (8 - used)) & 0xff
  }
  if (used !== 0) output[at + tail.length] = carry
}

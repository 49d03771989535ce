const digits = '0123456789abcdef'

/** What {@link hexDigitValues} holds for a byte that is no hex digit: its high bits are set in no real value. */
export const notHex = 0xf0

/** The value of each byte as a hex digit of either case. */
export const hexDigitValues: Uint8Array = new Uint8Array(256).fill(notHex)
for (let value = 0; value < 16; value++) {
  hexDigitValues[digits.charCodeAt(value)] = value
  hexDigitValues[digits.toUpperCase().charCodeAt(value)] = value
}

/** Both lower-case digits of each byte, as they lie in memory: one 16-bit store writes a byte in hex. */
export const hexPairs: Uint16Array = new Uint16Array(256)
const pairBytes = new Uint8Array(hexPairs.buffer)
for (let byte = 0; byte < 256; byte++) {
  pairBytes[byte * 2] = digits.charCodeAt(byte >> 4)
  pairBytes[byte * 2 + 1] = digits.charCodeAt(byte & 15)
}
